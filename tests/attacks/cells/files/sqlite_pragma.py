# PRAGMA temp_store_directory steers where SQLite puts temporary files; extensions load native code.
import sqlite3
base = sqlite3.connect(":memory:")
try:
    base.execute("select load_extension('/evil.so')")
    print("ESCAPED")
except sqlite3.OperationalError:
    pass
base.enable_load_extension(True)
