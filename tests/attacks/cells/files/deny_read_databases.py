# A file that may not be read, inside a write root, by those who open files themselves.
# policy: ban_defs = false; deny_read = ["./secret.db", "./kept.db"]
# says: deny_read
import os, sqlite3
import dbm.ndbm
memory = sqlite3.connect(":memory:", uri=True)
refused = 0
for attempt in (lambda: sqlite3.connect("file:secret.db", uri=True), lambda: sqlite3.connect(f"file://{os.getcwd()}/secret%2Edb?mode=rwc", uri=True),
                lambda: memory.execute("attach 'file:secret.db' as other"), lambda: dbm.ndbm.open("kept", "c")):
    try:
        attempt()
        print("ESCAPED")
    except (PermissionError, sqlite3.DatabaseError):
        refused += 1
assert refused == 4, refused
assert os.listdir() == []
sqlite3.connect("file:secret.db", uri=True)
