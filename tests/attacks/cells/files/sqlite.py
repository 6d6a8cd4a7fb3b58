# SQLite opens files itself: URI, ATTACH, ATTACH with a parameter, VACUUM INTO; none raises an event of its own.
# says: outside the write roots
import sqlite3
base = sqlite3.connect("mine.db")
base.execute("create table t (x)")
base.commit()
evil = outside + "/evil"
attempts = [lambda: sqlite3.connect(evil), lambda: sqlite3.connect("file:" + evil, uri=True),
            lambda: sqlite3.connect("file:///" + evil.replace("/", "%2F", 1).replace("o", "%6F"), uri=True),
            lambda: sqlite3.connect("file:.%2F..%2Foutside/evil", uri=True), lambda: sqlite3.Connection(evil),
            lambda: base.execute(f"attach '{evil}' as a").execute("create table a.t (x)"),
            lambda: base.execute("attach ? as b", (evil,)).execute("create table b.t (x)"),
            lambda: base.execute(f"attach 'file:{evil}' as c").execute("create table c.t (x)"),
            lambda: base.execute(f"attach '{outside}' || '/evil' as d").execute("create table d.t (x)"),
            lambda: base.execute(f"vacuum into '{evil}'"), lambda: base.execute("vacuum into ?", (evil,)),
            lambda: base.executescript(f"vacuum into '{outside}' || '/evil'"),
            lambda: base.set_authorizer(None)]
refused = 0
for number, attempt in enumerate(attempts):
    try:
        attempt()
        print("ESCAPED", number)
    except (PermissionError, sqlite3.DatabaseError) as error:
        refused += 1
    except Exception as error:
        print(number, type(error), error)
assert refused == len(attempts), refused
sqlite3.connect(evil)
