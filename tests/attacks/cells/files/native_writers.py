# Functions in C that open files without an event: dbm, readline, test modules, keylog files.
import os, ssl
evil = outside + "/evil"
attempts = []
try:
    import _dbm
    attempts.append(lambda: _dbm.open(evil, "n"))
except ModuleNotFoundError:
    pass
try:
    import _gdbm
    attempts.append(lambda: _gdbm.open(evil, "n"))
except ModuleNotFoundError:
    pass
import readline
attempts += [lambda: readline.write_history_file(evil), lambda: readline.append_history_file(1, evil),
             lambda: readline.write_history_file(), lambda: setattr(ssl.create_default_context(), "keylog_filename", evil)]
assert refused(attempts) == len(attempts)
attempts[-1]()
