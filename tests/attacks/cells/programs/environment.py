# Variables that decide which program or native code is used (LD_PRELOAD; GCONV_PATH as in CVE-2021-4034; OPENSSL_CONF).
# says: environment variable
import os, posix
refused = 0
names = ("LD_PRELOAD", "PATH", "PYTHONPATH", "BASH_ENV", "GCONV_PATH", "LOCPATH", "OPENSSL_CONF", "OPENSSL_MODULES",
         "HDF5_PLUGIN_PATH", "GLIBC_TUNABLES", "NLSPATH", "HOSTALIASES", "QT_PLUGIN_PATH", "KRB5_CONFIG", "GIT_SSH", "EDITOR")
for name in names:
    for attempt in (lambda: os.environ.update({name: "/evil"}), lambda: os.putenv(name, "/evil"), lambda: posix.putenv(name.encode(), b"/evil")):
        try:
            attempt()
            print("ESCAPED", name)
        except PermissionError:
            refused += 1
assert refused == 3 * len(names), refused
os.environ["OMP_NUM_THREADS"] = "1"
os.putenv("LD_PRELOAD", "/evil")
