"""Random programs: built-ins and functions of the standard library, with arguments that are meant to do harm.

A program is a list of lines, each of which is tried by itself; the same seed makes the same program on every machine.
Functions are looked up by name when the program runs, so that a list of names is all that is needed here. Never asked to
run: what ends or stops the process by itself (os._exit, signal.pause, …), which proves nothing, and what would harm the
machine if the guard failed (os.kill; files that are not the test's own are in no argument).
"""

import random

FUNCTIONS = """
open io.open io.FileIO io.open_code _io.open codecs.open os.open os.fdopen os.mkdir os.makedirs os.rmdir os.removedirs os.remove
os.unlink os.rename os.renames os.replace os.link os.symlink os.truncate os.ftruncate os.chmod os.fchmod os.lchown os.chown os.fchown
os.utime os.setxattr os.removexattr os.mkfifo os.mknod os.chdir os.fchdir os.listdir os.scandir os.walk os.stat os.access os.dup os.dup2
os.write os.pwrite os.writev os.sendfile os.copy_file_range os.splice os.posix_fallocate os.memfd_create os.pipe os.openpty
os.system os.popen os.fork os.forkpty os.execv os.spawnv os.posix_spawn os.setsid os.putenv os.unsetenv os.nice
os.setpriority os.sched_setaffinity os.pidfd_open os.register_at_fork os.fsencode os.path.realpath os.getxattr os.statvfs
subprocess.run subprocess.Popen subprocess.call subprocess.getoutput _posixsubprocess.fork_exec pty.spawn
shutil.copy shutil.copyfile shutil.copytree shutil.move shutil.rmtree shutil.make_archive shutil.unpack_archive shutil.chown shutil.copystat
pathlib.Path pathlib.Path.write_text pathlib.Path.unlink pathlib.Path.touch pathlib.Path.mkdir pathlib.Path.rename pathlib.Path.symlink_to
tempfile.mkstemp tempfile.mkdtemp tempfile.NamedTemporaryFile tempfile.TemporaryDirectory
socket.socket socket.create_connection socket.create_server socket.socketpair socket.fromfd socket.getaddrinfo _socket.socket _socket.dup
asyncio.open_connection http.client.HTTPConnection urllib.request.urlopen urllib.request.urlretrieve smtplib.SMTP ftplib.FTP
sqlite3.connect dbm.dumb.open shelve.open gzip.open bz2.open lzma.open zipfile.ZipFile tarfile.open logging.FileHandler mailbox.Maildir
fcntl.fcntl fcntl.ioctl fcntl.flock mmap.mmap signal.signal signal.setitimer signal.raise_signal signal.set_wakeup_fd signal.pthread_kill
resource.setrlimit resource.prlimit faulthandler.dump_traceback faulthandler.enable faulthandler.register
ctypes.CDLL ctypes.c_char_p ctypes.py_object ctypes.cast ctypes.string_at ctypes.POINTER ctypes.create_string_buffer ctypes.c_long.from_address
_ctypes.dlopen _ctypes.call_function _ctypes.PyObj_FromPtr _ctypes.pointer
marshal.loads marshal.load pickle.loads pickle.load code.InteractiveInterpreter codeop.compile_command runpy.run_path types.FunctionType types.CodeType
sys.audit sys.addaudithook sys.settrace sys.setprofile sys._getframe sys._current_frames sys.setrecursionlimit gc.get_objects gc.get_referrers
_imp.create_builtin _imp.create_dynamic _imp.exec_builtin _imp.get_frozen_object _imp.create_builtin _thread.start_new_thread threading.Thread
_xxsubinterpreters.create multiprocessing.Process multiprocessing.shared_memory.SharedMemory _posixshmem.shm_open _multiprocessing.SemLock
webbrowser.open readline.write_history_file linecache.getlines tokenize.open fileinput.input timeit.timeit inspect.getsource
copy.copy copy.deepcopy functools.partial functools.reduce operator.call operator.attrgetter operator.methodcaller operator.itemgetter
map filter list sorted max sum getattr setattr vars dir type isinstance hash iter next print repr format str int bytes memoryview id
weakref.ref weakref.finalize contextlib.ExitStack contextvars.Context itertools.starmap concurrent.futures.ThreadPoolExecutor atexit.register
importlib.import_module importlib.machinery.SourceFileLoader importlib.machinery.ExtensionFileLoader importlib.util.spec_from_file_location
_frozen_importlib._call_with_frames_removed _frozen_importlib._load _frozen_importlib.ModuleSpec builtins.exec builtins.eval builtins.compile builtins.__import__
""".split()

#: what is run without a guard as well
HARMLESS = "open io.open os.open os.mkdir pathlib.Path.touch gzip.open sqlite3.connect map functools.partial sorted str list".split()

#: lines that every program begins with; `look` finds what a name in FUNCTIONS stands for
SETTING = '''
import sys, os
from concurrent.futures import ThreadPoolExecutor
load = vars(sys.modules["builtins"])["__import__"]
built_in = vars(sys.modules["builtins"])
kept, there = [], os.open(outside, os.O_RDONLY)
reader = os.open(victim, os.O_RDONLY)
pool = ThreadPoolExecutor(1)
lie = lambda *unused, **more: evil
hostile = {name: lie for name in ("__str__", "__repr__", "__fspath__", "__format__", "__eq__", "__ne__", "__lt__", "__and__", "__or__", "__getattr__",
           "__bytes__", "__enter__", "__exit__", "__iter__", "__next__", "__call__", "__contains__", "__add__", "__getitem__", "__reduce__")}
Number = type("Number", (int,), {**hostile, "__index__": lambda self: there, "__hash__": int.__hash__})
Text = type("Text", (str,), {**hostile, "__hash__": str.__hash__})
Data = type("Data", (bytes,), {**hostile, "__hash__": bytes.__hash__})
Thing = type("Thing", (), {**hostile, "__index__": lambda self: reader, "__hash__": lambda self: 1, "fileno": lambda self: there,
                           "__class__": property(lambda self: str), "__del__": lambda self: open(evil, "w")})
'''
FIND = '''
def find(name):
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found = load(".".join(parts[:count]), None, None, ["x"])
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    return built_in[name]
'''

LEAVES = ["evil", "victim", "outside", "evil.encode()", "victim.encode()", "Text(evil)", "Data(victim.encode())", "Thing()", "Number(577)", "there", "reader",
          "'../outside/evil'", "'mine'", "'w'", "'r+b'", "'rb'", "'a'", "0", "1", "2", "3", "65", "577", "0o777", "0x4200000", "None", "True", "touch", "touch[0]",
          "' '.join(touch)", "{}", "[]", "()", "b'x'", "port", "('127.0.0.1', port)", "unix_path", "bystander", "15", "f'file:{evil}'",
          "f'/proc/self/fd/{there}/evil'", "f'/proc/self/root{evil}'", "f'http://127.0.0.1:{port}/'", "f'open({evil!r}, chr(119))'", "sys", "os", "built_in",
          "lambda *unused: open(evil, 'w')", "os.environ", "iter([evil])", "1 << 70", "float('nan')", "id(evil)", "'x' * 5000", "'\\0'", "'\\udcff'", "secret"]
#: arguments that fit together: half of the calls get these, so that much of what is asked for could be done
PATHS = ["evil", "victim", "outside", "evil.encode()", "Text(evil)", "Thing()", "there", "reader", "'../outside/evil'", "'mine'", "f'/proc/self/root{evil}'",
         "f'/proc/self/fd/{there}/evil'", "find('pathlib.Path')(evil)", "f'file:{evil}'", "unix_path"]
MODES = ["'w'", "'r+b'", "'a'", "'x'", "'wb'", "Text('w')"]
NUMBERS = ["577", "0o777", "65", "0", "1", "Number(577)", "0x4200000"]
COMMANDS = ["' '.join(touch)", "touch", "[' '.join(touch)]"]
SHAPES = [[PATHS], [PATHS], [PATHS, MODES], [PATHS, MODES], [PATHS, NUMBERS], [PATHS, NUMBERS, NUMBERS], [PATHS, PATHS], [PATHS, PATHS], [COMMANDS],
          [["'127.0.0.1'"], ["port"]], [["('127.0.0.1', port)"]], [["2", "1"], ["1", "2"]], [["'P_WAIT'", "0"], ["'/bin/' + touch[0]"], ["touch"]],
          [["f'open({evil!r}, chr(119))'"], ["{}"]]]
KEYWORDS = ["dir_fd=there", "src_dir_fd=there", "dst_dir_fd=there", "mode='w'", "mode=0o777", "flags=577", "follow_symlinks=False", "shell=True", "target=os.system",
            "args=(' '.join(touch),)", "uri=True", "fileno=reader", "opener=lambda path, flags: os.open(evil, 577)", "closefd=False", "exist_ok=True", "key=os.system",
            "dir=outside", "filename=evil", "delete=False", "file=reader", "buffering=0"]


class Maker:
    def __init__(self, seed, functions=FUNCTIONS):
        self.random, self.functions = random.Random(seed), functions

    def function(self):
        return f"find({self.random.choice(self.functions)!r})"

    def argument(self, depth):
        pick = self.random.random()
        if depth > 0 and pick < 0.18:
            return self.call(depth - 1)
        if pick < 0.28:
            return self.function()
        if pick < 0.36 and len(self.names) > 0:
            return f"kept[{self.random.randrange(len(self.names))}]"
        return self.random.choice(LEAVES)

    def arguments(self, depth):
        if self.random.random() < 0.5:
            keywords = self.random.sample(KEYWORDS, self.random.choice((0, 0, 0, 1)))
            return [self.random.choice(choices) for choices in self.random.choice(SHAPES)] + keywords
        found = [self.argument(depth) for _ in range(self.random.choice((0, 1, 1, 2, 2, 2, 3, 3, 4)))]
        return found + self.random.sample(KEYWORDS, self.random.choice((0, 0, 0, 1, 2)))

    def call(self, depth):
        words = ", ".join(dict.fromkeys(self.arguments(depth)))
        function, pick = self.function(), self.random.random()
        if pick < 0.70:
            return f"{function}({words})"
        if pick < 0.78:
            return f"pool.submit({', '.join([function, words]) if words else function}).result(1)"
        if pick < 0.84:
            return f"list(map({function}, [{self.argument(0)}], [{self.argument(0)}]))"
        if pick < 0.90:
            return f"find('functools.partial')({', '.join([function, words]) if words else function})()"
        if pick < 0.95:
            return f"getattr({self.argument(depth)}, {self.random.choice(['write', 'read', '__init__', 'close', 'system', 'send', 'connect', 'load_module', 'get_data', '__globals__', '__code__'])!r})({self.argument(0)})"
        return f"sorted([{self.argument(0)}, {self.argument(0)}], key={function})"

    def program(self, lines):
        """Source text. Each line is tried; what it gives is kept for later lines."""
        self.names = []
        text = []
        for _ in range(lines):
            text += ["try:", f"    kept.append({self.call(2)})", "except BaseException as error:", "    kept.append(error)"]
            self.names.append(len(self.names))
        return "\n".join(text)
