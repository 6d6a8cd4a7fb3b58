# A URI whose %-escapes are read in one way by the guard and in another by SQLite.
import os, sqlite3
os.makedirs("file:" + os.getcwd() + "/a% 2f")
os.mkdir("a% 2f")
here = os.getcwd()
sqlite3.connect(f"file:{here}/a% 2f/../../outside/evil", uri=True).execute("create table t (x)")
