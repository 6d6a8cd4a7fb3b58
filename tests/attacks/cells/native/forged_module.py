# What a cell calls "_dbm" and hands to the import system for filling is no native module: a function of it was guarded in place
# of the real one, and a type of it patched as if it were the real one's.
import struct, sys, types
import _sqlite3
imp = sys.modules["_imp"]
for name, attribute, value in (("_dbm", "open", struct.calcsize), ("_gdbm", "open", struct.calcsize), ("_socket", "socket", list),
                               ("_multiprocessing", "SemLock", dict), ("_ctypes", "CFuncPtr", type(len))):
    fake = types.ModuleType(name)
    setattr(fake, attribute, value)
    imp.exec_dynamic(fake)
assert [*list((1, 2)), *dict(a=1)] == [1, 2, "a"]
# %%
def connect(name):
    return 1.5
connect.set_authorizer = len
_sqlite3.Connection = connect
assert imp.exec_dynamic(_sqlite3) == 0
# %%
import ctypes, multiprocessing.synchronize, socket
import dbm.ndbm
dbm.ndbm.open(str(outside) + "/made", "c")
