"""What an attack may not reach, and how it is seen from outside whether it did."""

import array
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import tempfile
import time

from guard_client import BUILD, LIBRARY, Guard, GuardDied

HERE = pathlib.Path(__file__).parent
NOBODY = 65534
FLAGS_OF_FILE = 0x80086601  # FS_IOC_GETFLAGS
#: whose effect comes a moment later
SIGNALS = {"kill", "tgkill", "tkill", "sigqueue", "pidfd_send_signal", "signal_by_descriptor"}
STATUS = "import json, safepyrun._guard as g\nprint(json.dumps(g.status()))"
TARGET = """
import ctypes
lib = ctypes.CDLL({library!r}, use_errno=True)
class Target(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("outside", "inside", "tty", "socket", "abstract", "secret")] + [
        ("pid", ctypes.c_int), ("port", ctypes.c_int), ("shm", ctypes.c_int), ("address", ctypes.c_uint64), ("posix_shm", ctypes.c_char_p)]
"""


class Listeners:
    """Counts who comes, on TCP, UDP and local sockets."""

    def __init__(self, folder):
        self.path = str(folder / "socket")
        self.abstract = folder.name
        self.heard = []
        self.sockets = []
        tcp = self._open(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        self._open(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", self.port))
        self._open(socket.AF_UNIX, socket.SOCK_STREAM, self.path)
        self._open(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        self._open(socket.AF_UNIX, socket.SOCK_DGRAM, self.path + ".d")
        os.chmod(self.path, 0o777)
        os.chmod(self.path + ".d", 0o777)

    def _open(self, family, kind, address):
        own = socket.socket(family, kind)
        own.bind(address)
        if kind == socket.SOCK_STREAM:
            own.listen()
        own.setblocking(False)
        self.sockets.append(own)
        return own

    def count(self):
        for own in self.sockets:
            try:
                if own.type == socket.SOCK_STREAM:
                    own.accept()[0].close()
                else:
                    own.recv(100)
                self.heard.append(own)
            except BlockingIOError:
                pass
        return len(self.heard)


class World:
    """Folders, listeners, a terminal and a victim, for one user."""

    def __init__(self, user):
        self.user = user
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="isolation-", dir="/var/tmp"))
        self.base.chmod(0o755)
        for name in ("private", "secrets", "victim"):
            (self.base / name).mkdir()
        (self.base / "secrets" / "file").write_text("hush!")
        self.library = self._copy(LIBRARY, "lib")
        for name in ("isolation_attacks.so", "isolation_degrade.so"):
            shutil.copy(BUILD / "tests" / name, self.base)
        self.listeners = Listeners(self.base)
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.tty = os.ttyname(self.slave)
        self.guards = {}
        self.shown = {}  # what an attack does without the ring
        self.victim = None
        self.restore()

    def _copy(self, source, name):
        """Where this user can read it, too."""
        shutil.copytree(source, self.base / name)
        return self.base / name

    def _own(self, *paths):
        for path in paths:
            os.chown(path, self.user, self.user)

    def as_user(self, command):
        if self.user == os.getuid():
            return command
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]

    def has_view(self):
        """Whether this system gives this user a mount view; a chroot gives an ordinary one no namespace."""
        status = json.loads(self.guard(degrade="landlock").execute(STATUS).stdout)
        return {name: state for name, state, _ in status["os_ring_parts"]}["mount_view"] == "active"

    # ---- the things ---------------------------------------------------------------------------------

    def restore(self):
        """As it was. The write root stays the same folder: guards hold on to it."""
        outside, inside = self.base / "outside", self.base / "inside"
        shutil.rmtree(outside, ignore_errors=True)
        inside.mkdir(exist_ok=True)
        for path in inside.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        outside.mkdir()
        (outside / "victim").write_text("as it was")
        (outside / "empty").mkdir()
        (inside / "own").write_text("own")
        os.setxattr(outside / "victim", "user.mark", b"1")
        self._own(self.base / "private", self.base / "secrets", self.base / "secrets" / "file", self.base / "victim", outside,
                  outside / "victim", outside / "empty", inside, inside / "own", self.tty)
        os.utime(outside / "victim", (1e9, 1e9))
        if self.victim is None or self._see_victim() != self.fresh_victim:
            self._start_victim()
            self.fresh_victim = self._see_victim()

    def _end_victim(self):
        self.victim.stdin.close()
        self.victim.stdout.close()
        self.victim.wait()

    def _start_victim(self):
        if self.victim is not None:
            self._end_victim()
        (self.base / "victim" / "signals").write_bytes(b"")
        self._own(self.base / "victim" / "signals")
        program = shutil.copy(HERE / "victim.py", self.base)
        self.victim = subprocess.Popen(
            self.as_user(["/usr/bin/python3", program, str(self.base / "victim" / "signals"), str(self.base / "victim")]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", env={**os.environ, "VICTIM_KEY": "hush!"})
        address, shm, self.posix_shm = self.victim.stdout.readline().split()
        self.address, self.shm = int(address), int(shm)

    def _see_files(self):
        seen = {}
        for path in sorted((self.base / "outside").rglob("*")) + [self.base / "victim"]:
            status = path.lstat()
            seen[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, status.st_size, status.st_nlink)
            if path.is_file() and not path.is_symlink():
                flags = array.array("i", [0])
                with open(path) as file:
                    fcntl.ioctl(file, FLAGS_OF_FILE, flags)
                seen[str(path), "more"] = (path.read_bytes(), sorted(os.listxattr(path)), flags[0])
        return seen

    def _see_victim(self):
        pid = self.victim.pid
        if self.victim.poll() is not None:
            return {"ended": self.victim.poll()}
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(self.address)
            found = memory.read(9)
        return {"memory": found, "nice": os.getpriority(os.PRIO_PROCESS, pid),
                "affinity": os.sched_getaffinity(pid), "scheduler": os.sched_getscheduler(pid),
                "limit": pathlib.Path(f"/proc/{pid}/limits").read_text(), "oom": pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(),
                "signals": (self.base / "victim" / "signals").read_bytes(),
                "shm": self._segment(), "posix": pathlib.Path("/dev/shm", self.posix_shm).read_bytes()[:9]}

    def _segment(self):
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        address = libc.shmat(self.shm, None, 0)
        found = ctypes.string_at(address, 9)
        libc.shmdt(ctypes.c_void_p(address))
        return found

    def _see_tty(self):
        try:
            return os.read(self.master, 100)
        except BlockingIOError:
            return b""

    def see(self):
        return {"files": self._see_files(), "victim": self._see_victim(), "heard": self.listeners.count(), "tty": self._see_tty(),
                "ran": (self.base / "inside" / "ran").exists(), "stolen": (self.base / "inside" / "stolen").exists()}

    # ---- guards -------------------------------------------------------------------------------------

    def guard(self, ring="auto", degrade=""):
        key = ring, degrade
        if key not in self.guards:
            environment = {"TMPDIR": str(self.base / "private"), "HOME": str(self.base / "private"), "SECRET": "hush!"}
            if degrade:
                environment |= {"LD_PRELOAD": str(self.base / "isolation_degrade.so"), "DEGRADE": degrade}
            command = self.as_user([str(self.library / "safepyrun-guard")])
            policy = f'preset = "open"\nos_ring = "{ring}"\nok_dests = ["{self.base}/inside"]\ndeny_read = ["{self.base}/secrets"]\n'
            guard = Guard(policy_file=policy, environment=environment, cwd=self.base / "private", command=command).wait_ready()
            guard.execute(TARGET.format(library=str(self.base / "isolation_attacks.so")))
            self.guards[key] = guard
        return self.guards[key]

    def attack(self, name, **kind):
        """What the function returned, and whether the world is another one afterwards."""
        before = self.see()
        guard = self.guard(**kind)
        values = {"outside": self.base / "outside", "inside": self.base / "inside", "tty": self.tty, "socket": self.listeners.path,
                  "abstract": self.listeners.abstract, "secret": self.base / "secrets" / "file", "posix_shm": self.posix_shm}
        numbers = {"pid": self.victim.pid, "port": self.listeners.port, "shm": self.shm, "address": self.address}
        arguments = ", ".join([f"{key}={str(value).encode()!r}" for key, value in values.items()]
                              + [f"{key}={value}" for key, value in numbers.items()])
        try:
            outcome = guard.execute(f"lib.attack_{name}(ctypes.byref(Target({arguments})))")
            assert outcome.error is None, outcome.reply
            answer = int(outcome.result)
        except GuardDied:
            answer = errno.EINTR
            self.guards.pop((kind.get("ring", "auto"), kind.get("degrade", ""))).close()
        if name in SIGNALS:
            time.sleep(0.03)
        return answer, self.see() != before

    def close(self):
        for guard in self.guards.values():
            guard.close()
        self._end_victim()
        shutil.rmtree(self.base, ignore_errors=True)
