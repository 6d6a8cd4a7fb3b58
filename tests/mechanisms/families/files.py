# Changing something outside of the write roots, by each function that can.
import os, sys, io
open("mine", "w").close()
there = os.open(outside, os.O_RDONLY)
reader = os.open(victim, os.O_RDONLY)

# %% open for writing
open(evil, "w")

# %% open for appending
open(victim, "a").write("x")

# %% open for update
open(victim, "r+").write("x")

# %% open exclusively
open(evil, "x")

# %% open by bytes
open(evil.encode(), "w")

# %% opener — the name that is judged is not the file that is opened
open("inside", "w", opener=lambda path, flags: os.open(evil, flags))

# %% FileIO
io.FileIO(evil, "w")

# %% FileIO initialised twice — a harmless file becomes another
file = io.FileIO("mine", "w")
file.__init__(evil, "w")

# %% pure Python io
import _pyio
_pyio.open(evil, "w").close()

# %% codecs.open
import codecs
codecs.open(evil, "w")

# %% os.open with create
os.open(evil, os.O_CREAT | os.O_WRONLY)

# %% os.open cuts while reading — O_TRUNC without a writing mode
os.open(victim, os.O_RDONLY | os.O_TRUNC)

# %% os.open relative to a folder — dir_fd
os.open("evil", os.O_CREAT | os.O_WRONLY, dir_fd=there)

# %% os.open relative to a folder with flags that move a link — their code runs after the path was judged
os.makedirs("below/inside")
os.symlink("inside", "below/sly")
os.mkdir("sly")
here = os.open("below", os.O_RDONLY)
swap = lambda self: os.unlink("below/sly") or os.symlink(outside, "below/sly") or os.O_CREAT | os.O_WRONLY
os.open("sly/evil", type("Flags", (), {"__index__": swap})(), dir_fd=here)

# %% os.open with odd flags — a subclass of int that lies
os.open(evil, type("Flags", (int,), {"__and__": lambda *unused: 0, "__index__": lambda self: 0})(os.O_CREAT | os.O_WRONLY))

# %% path with two faces — __fspath__ answers differently the second time
answers = iter([evil] * 4)
open(type("Path", (), {"__fspath__": lambda self: next(answers)})(), "w")

# %% string that lies — a str whose methods say something else
lie = lambda *unused: "mine"
open(type("Text", (str,), {"__str__": lie, "__fspath__": lie, "startswith": lie, "encode": lie})(evil), "w")

# %% directory descriptor as an object — __index__ is asked later
os.mkdir("evil", dir_fd=type("Number", (), {"__index__": lambda self: there})())

# %% parent folders — .. in the middle
open(f"{os.getcwd()}/../outside/evil", "w")

# %% relative parent
open("../outside/evil", "w")

# %% link to a file
os.symlink(victim, "sly")
open("sly", "w")

# %% link to a folder
os.symlink(outside, "sly")
open("sly/evil", "w")

# %% dangling link — creates what it points to
os.symlink(evil, "sly")
open("sly", "w")

# %% link by another link
os.symlink(outside, "one")
os.symlink("one", "two")
os.mkdir("two/evil")

# %% hard link — another name for the same file, then written
os.link(victim, "also")
open("also", "a").write("x")

# %% hard link out
os.link("mine", evil)

# %% proc root — /proc/self/root is another name of /
open(f"/proc/self/root{evil}", "w")

# %% proc cwd
open("/proc/self/cwd/../outside/evil", "w")

# %% proc descriptor — reopens what is open for reading
open(f"/proc/self/fd/{reader}", "w")

# %% dev fd
open(f"/dev/fd/{reader}", "a").write("x")

# %% proc of a thread
open(f"/proc/thread-self/fd/{there}/evil", "w")

# %% proc by number
open(f"/proc/{os.getpid()}/task/{os.getpid()}/fd/{reader}", "w")

# %% chdir
os.chdir(outside)
open("evil", "w")

# %% fchdir
os.fchdir(there)
open("evil", "w")

# %% chdir by a context manager
import contextlib
contextlib.chdir(outside).__enter__()
open("evil", "w")

# %% unlink
os.unlink(victim)

# %% unlink relative to a folder
os.unlink("victim", dir_fd=there)

# %% rmdir
os.rmdir(outside + "/folder")

# %% mkdir
os.mkdir(evil)

# %% makedirs
os.makedirs(evil + "/deeper")

# %% rename away
os.rename(victim, "taken")

# %% rename over
os.replace("mine", victim)

# %% rename relative to a folder
os.rename("mine", "evil", dst_dir_fd=there)

# %% symlink out
os.symlink("/", evil)

# %% mkfifo
os.mkfifo(evil)

# %% mknod
os.mknod(evil)

# %% mkfifo with a mode that moves a link — its code runs after the path was judged
os.mkdir("inside")
os.symlink("inside", "sly")
swap = lambda self: os.unlink("sly") or os.symlink(outside, "sly") or 0o600
os.mkfifo("sly/evil", type("Mode", (), {"__index__": swap})())

# %% truncate
os.truncate(victim, 0)

# %% chmod
os.chmod(victim, 0o777)

# %% chmod by a descriptor — one that may only read
os.fchmod(reader, 0o777)

# %% chmod of a link's target
os.symlink(victim, "sly")
os.chmod("sly", 0o777)

# %% chown
os.chown(victim, 12345, -1)

# %% chown by a descriptor
os.fchown(reader, 12345, -1)

# %% lchown
os.lchown(victim, 12345, -1)

# %% utime
os.utime(victim, (1, 1))

# %% utime of a link — itself lies outside, what it leads to does not
os.utime(outside + "/link", (1, 1), follow_symlinks=False)

# %% utime by a descriptor
os.utime(reader, (1, 1))

# %% utime relative to a folder
os.utime("victim", (1, 1), dir_fd=there)

# %% shutil copy
import shutil
shutil.copy("mine", victim)

# %% shutil copytree
import shutil
os.mkdir("tree")
shutil.copytree("tree", evil)

# %% shutil move
import shutil
shutil.move(victim, "taken")

# %% shutil rmtree
import shutil
shutil.rmtree(outside + "/folder")

# %% shutil unpack — an archive with a way out
import shutil, zipfile
with zipfile.ZipFile("x.zip", "w") as archive:
    archive.writestr("evil", "x")
shutil.unpack_archive("x.zip", outside)

# %% tar with links — a member below a link that an earlier member made (CVE-2007-4559)
import tarfile
with tarfile.open("x.tar", "w") as tar:
    link = tarfile.TarInfo("way")
    link.type, link.linkname = tarfile.SYMTYPE, outside
    tar.addfile(link)
    tar.addfile(tarfile.TarInfo("way/evil"))
tarfile.open("x.tar").extractall(**({"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}))

# %% copy_file_range — a system call without an event, into a file that is open
import os
target = os.open(evil, os.O_CREAT | os.O_WRONLY)
os.copy_file_range(os.open("/etc/hostname", os.O_RDONLY), target, 10)

# %% sendfile into a file
os.sendfile(os.open(evil, os.O_CREAT | os.O_WRONLY), reader, 0, 4)

# %% posix_fallocate
os.posix_fallocate(os.open(victim, os.O_WRONLY), 0, 4096)

# %% mmap
import mmap
mmap.mmap(os.open(victim, os.O_RDWR), 4)[0] = 0

# %% tempfile
import tempfile
tempfile.NamedTemporaryFile(dir=outside, delete=False)

# %% tempfile default — tempfile.tempdir set by hand
import tempfile
tempfile.tempdir = outside
tempfile.mkdtemp()

# %% tempfile without a name — O_TMPFILE
fd = os.open(outside, os.O_TMPFILE | os.O_RDWR)
print("ESCAPED", os.write(fd, b"x"))

# %% pathlib
import pathlib
pathlib.Path(evil).write_text("x")

# %% pathlib touch
import pathlib
pathlib.Path(victim).touch()

# %% fileinput in place
import fileinput
with fileinput.input(victim, inplace=True) as lines:
    for line in lines:
        print("evil")

# %% gzip
import gzip
gzip.open(evil, "wb").close()

# %% lzma
import lzma
lzma.LZMAFile(evil, "w").close()

# %% zip file
import zipfile
zipfile.ZipFile(evil, "w").close()

# %% wave
import wave
wave.open(evil, "wb")

# %% shelve
import shelve
shelve.open(evil).close()

# %% dbm
import dbm.dumb
dbm.dumb.open(evil, "n").close()

# %% mailbox
import mailbox
mailbox.Maildir(evil)

# %% logging file
import logging
logging.FileHandler(evil)

# %% logging rotation — renames
import logging.handlers
logging.handlers.RotatingFileHandler(evil, maxBytes=1)

# %% cookie jar
import http.cookiejar
http.cookiejar.LWPCookieJar().save(evil)

# %% profile statistics
import cProfile, marshal
profile = cProfile.Profile()
profile.create_stats()
profile.dump_stats(evil)

# %% trace counts
import trace
trace.CoverageResults(outfile=evil).write_results(coverdir=outside)

# %% tracemalloc snapshot
import tracemalloc
tracemalloc.start()
tracemalloc.take_snapshot().dump(evil)

# %% configuration parser
import configparser
configparser.ConfigParser().write(open(evil, "w"))

# %% py_compile — writes what it compiled
import py_compile
open("x.py", "w").close()
py_compile.compile("x.py", cfile=evil)

# %% compileall
import compileall
os.makedirs("y", exist_ok=True)
open("y/x.py", "w").close()
sys.pycache_prefix = evil
compileall.compile_dir("y", quiet=1)

# %% bytecode of an import — sys.pycache_prefix leads the import system elsewhere
open("helper_module.py", "w").write("x = 1")
sys.dont_write_bytecode, sys.pycache_prefix = False, evil
sys.path.insert(0, os.getcwd())
import helper_module
# by: an import goes on when its cache cannot be written

# %% faulthandler — writes a traceback to a descriptor of a file
import faulthandler
faulthandler.dump_traceback(open(victim, "a"))

# %% readline history
import readline
readline.write_history_file(evil)

# %% ssl key log
import ssl
ssl.create_default_context().keylog_filename = evil

# %% sqlite database
import sqlite3
sqlite3.connect(evil).execute("create table t (x)")

# %% sqlite URI
import sqlite3
sqlite3.connect(f"file:{evil}?mode=rwc", uri=True).execute("create table t (x)")

# %% sqlite attach
import sqlite3
sqlite3.connect(":memory:").execute(f"attach '{evil}' as e").execute("create table e.t (x)")

# %% sqlite attach by a parameter
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("attach ? as e", (evil,))
base.execute("create table e.t (x)")

# %% sqlite vacuum into
import sqlite3
sqlite3.connect(":memory:").execute(f"vacuum into '{evil}'")

# %% sqlite without its authorizer
import sqlite3
base = sqlite3.connect(":memory:")
base.set_authorizer(None)
base.execute(f"vacuum into '{evil}'")

# %% sqlite backup
import sqlite3
sqlite3.connect(":memory:").backup(sqlite3.connect(evil))

# %% sqlite attach by a URI
import sqlite3
base = sqlite3.connect("file:mine.db", uri=True)
base.execute(f"attach 'file:{evil}?mode=rwc' as e")
base.execute("create table e.t (x)")

# %% sqlite connection initialised again
import sqlite3
base = sqlite3.connect(":memory:")
base.__init__(evil)
base.execute("create table t (x)")

# %% sqlite journal — what is rolled back names a file that is to be deleted, without an event or a question
# sqlite: 3.52
import sqlite3, struct
sqlite3.connect("mine.db").execute("create table t (x)").connection.close()
magic, name = bytes.fromhex("d9d505f920a163d7"), victim.encode()
open("mine.db-journal", "wb").write((magic + struct.pack(">5I", 0, 1, 2, 512, 4096)).ljust(512, b"\0") + struct.pack(">I", 1 << 18 | 1) + name
                                    + struct.pack(">2I", len(name), sum(name)) + magic)
sqlite3.connect("mine.db").execute("select * from sqlite_master").fetchall()

# %% sqlite journal behind a link — it is opened by the name that the database had, in what has taken the place of its folder
import sqlite3
os.mkdir("folder")
base = sqlite3.connect("folder/victim")
os.rename("folder", "moved")
os.symlink(outside, "folder")
base.execute("create table t (x)")

# %% sqlite log behind a link — what it holds, another program takes into its own database
import sqlite3
os.mkdir("folder")
base = sqlite3.connect("folder/victim")
base.execute("pragma journal_mode = memory").execute("create table t (x)")
os.rename("folder", "moved")
os.symlink(outside, "folder")
base.execute("pragma journal_mode = wal").execute("insert into t values ('evil')")

# %% sqlite lock behind a link — a kind of lock that is a folder
import sqlite3
os.mkdir("folder")
base = sqlite3.connect("file:folder/victim?vfs=unix-dotfile", uri=True, timeout=0)
os.rename("folder", "moved")
os.symlink(outside, "folder")
base.execute("begin exclusive")

# %% sqlite by a second module — a fresh copy of the C module has types of its own
import sqlite3
for name in [name for name in sys.modules if "sqlite" in name]:
    del sys.modules[name]
import sqlite3
base = sqlite3.connect(":memory:")
base.execute(f"attach '{evil}' as e")
base.execute("create table e.t (x)")

# %% numpy save
# needs: numpy
import numpy
numpy.save(evil, [1])

# %% numpy tofile
# needs: numpy
import numpy
numpy.zeros(3).tofile(evil)

# %% numpy memory map
# needs: numpy
import numpy
numpy.memmap(evil, mode="w+", shape=(3,))

# %% numpy text
# needs: numpy
import numpy
numpy.savetxt(evil, [1])

# %% pandas csv
# needs: pandas
import pandas
pandas.DataFrame({"a": [1]}).to_csv(evil)

# %% pandas pickle
# needs: pandas
import pandas
pandas.DataFrame({"a": [1]}).to_pickle(evil)

# %% matplotlib figure
# needs: matplotlib
import matplotlib.pyplot
matplotlib.pyplot.savefig(evil + ".png")

# %% pillow image
# needs: PIL
import PIL.Image
PIL.Image.new("RGB", (1, 1)).save(evil + ".png")

# %% git folder inside the root — what is protected
os.makedirs(".git/hooks", exist_ok=True)
open(".git/hooks/post-commit", "w").write(f"touch {evil}")
print("ESCAPED")

# %% the deny list — a file that may not be read
print(open(secret).read())

# %% the deny list by a link
os.symlink(secret, "sly")
print(open("sly").read())

# %% the deny list by a hard link
os.link(secret, "also")
print(open("also").read())

# %% the deny list by moving — the folder above
os.rename(os.path.dirname(secret), "taken")
print(open("taken/secret").read())

# %% the deny list relative to a folder
folder = os.open(os.path.dirname(os.path.dirname(secret)), os.O_RDONLY)
print(os.read(os.open("private/secret", os.O_RDONLY, dir_fd=folder), 100))

# %% the deny list by proc
print(open(f"/proc/self/root{secret}").read())

# %% the deny list by long links — the system follows one after the other, joined they are too long for a path
os.symlink("./" * 1500 + ".", "long")
print(open("long/" + "./" * 1400 + os.path.relpath(secret)).read())

# %% the deny list from a folder that is gone — it has no path, what is above it has one
way = os.path.relpath(secret)
os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
print(open("../" + way).read())

# %% the deny list from a deep folder — its path is longer than a path can be
way = os.path.relpath(secret)
parts = ["deep" * 60] * 10
os.makedirs("/".join(["one", *parts]))
os.makedirs("/".join(["two", *parts]))
os.rename("two", "/".join(["one", *parts, "two"]))
middle = os.open("/".join(["one", *parts]), os.O_RDONLY)
bottom = os.open("/".join(["two", *parts]), os.O_RDONLY, dir_fd=middle)
try:
    print(os.read(os.open("../" * 22 + way, os.O_RDONLY, dir_fd=bottom), 100))
finally:
    os.close(bottom)

# %% the deny list by linecache
import linecache
print(linecache.getlines(secret))

# %% the deny list by the traceback of an error — SyntaxError shows a line of a file it names
try:
    raise SyntaxError("x", (secret, 1, 1, None))
except SyntaxError:
    import traceback
    print(traceback.format_exc(), __import__("linecache").getline(secret, 1))

# %% the deny list by importing — the error shows the line
import runpy
runpy.run_path(secret)

# %% the deny list by readline — a history is read in C, without an event up to 3.13
import readline
readline.read_history_file(secret)
print([readline.get_history_item(number) for number in range(1, readline.get_current_history_length() + 1)])

# %% the deny list by the settings of readline — what it does not understand it prints
import readline
readline.parse_and_bind("$include " + secret)

# %% the deny list by a file of settings — it includes another
import readline
open("settings", "w").write(f"$include {secret}\n")
readline.read_init_file("settings")

# %% the deny list by the variable of settings — they are read when readline is loaded
os.environ["INPUTRC"] = secret
import readline

# %% the deny list by tokenize
import tokenize
print(tokenize.open(secret).read())

# %% the deny list by copying
import shutil
print(open(shutil.copy(secret, "copy")).read())

# %% the deny list by sqlite — a database whose folder is not to be read
import sqlite3
print(sqlite3.connect(f"file:{secret}.db?mode=ro", uri=True).execute("select x from t").fetchall())

# %% the deny list by OpenSSL — it opens certificates itself and tells what is wrong with them
import ssl
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(secret)
except ssl.SSLError as error:
    print("ESCAPED", error)

# %% the deny list by the key of a server
import ssl
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(os.__file__, keyfile=secret)
except ssl.SSLError as error:
    print("ESCAPED", error)

# %% the deny list by mmap
import mmap
print(mmap.mmap(os.open(secret, os.O_RDONLY), 0, prot=mmap.PROT_READ).read())

# %% the deny list by numpy
# needs: numpy
import numpy
print(bytes(numpy.fromfile(secret, dtype="uint8")))

# %% environment of another process
print(open(f"/proc/{bystander}/environ").read())

# %% files of another process — a pipe is read away from whoever waits for it, memory has no other name
print("ESCAPED", open(f"/proc/{bystander}/fd/0"))

# %% keys that somebody types — a terminal is read like a file
print(os.read(os.open(terminal, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK), 100))

# %% environment of this process — secrets are taken out
print(open("/proc/self/environ").read(), dict(os.environ))
# by: the variables are not there

# %% environment by the C library
import posix
print(posix.environ)
# by: the variables are not there
