# A folder that may not be read, by other names of it.
# policy: ban_defs = false; deny_read = ["/etc/ssl"]
# says: deny_read
import os, sqlite3
import _ssl
os.symlink("/etc/ssl", "sly")
refused = 0
for attempt in (lambda: open("/etc/ssl/openssl.cnf"), lambda: open("sly/openssl.cnf"), lambda: os.listdir("/etc/ssl"),
                lambda: open("/proc/self/root/etc/ssl/openssl.cnf"), lambda: os.open("/etc/../etc/ssl", os.O_RDONLY),
                lambda: os.open("ssl/openssl.cnf", os.O_RDONLY, dir_fd=os.open("/etc", os.O_RDONLY)),
                lambda: os.scandir("/etc/ssl"), lambda: sqlite3.connect("file:/etc/ssl/openssl.cnf?mode=ro", uri=True),
                lambda: _ssl._test_decode_cert("/etc/ssl/openssl.cnf"), lambda: _ssl._test_decode_cert(b"sly/openssl.cnf")):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 10, refused
open("/etc/ssl/openssl.cnf")
