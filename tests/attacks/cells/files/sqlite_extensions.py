# A SQLite extension is native code: the SQL function that loads one, and the switch in front of it.
import sqlite3
base = sqlite3.connect(":memory:")
try:
    base.execute("select load_extension('/evil.so')")
    print("ESCAPED")
except sqlite3.OperationalError:
    pass
if not hasattr(base, "enable_load_extension"):      # Python may be built without it
    base.set_authorizer(None)
base.enable_load_extension(True)
