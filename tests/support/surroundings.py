"""What a guarded process must not reach, and how one sees from outside that it did.

A folder, three sockets that listen, another process, a file that may not be read, and what the process itself shows
under /proc: children, sockets, descriptors that can write, native code that was mapped from a write root. Nothing here
asks the guarded process.
"""

import os
import pathlib
import secrets
import signal
import socket
import sqlite3
import stat
import subprocess
import time

WRITE_MODES = (os.O_WRONLY, os.O_RDWR)


def _files(folder):
    """A socket's times change when somebody looks at it; all else is compared."""
    seen = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        seen[str(path.relative_to(folder))] = (
            status.st_mode, status.st_uid, status.st_gid, status.st_nlink, status.st_mtime_ns,
            tuple(os.listxattr(path, follow_symlinks=False)), path.read_bytes() if stat.S_ISREG(status.st_mode) else None)
    return seen


def _fields(path, name):
    try:
        return [line.split()[1] for line in pathlib.Path(path).read_text().splitlines() if line.startswith(name + ":")]
    except OSError:
        return []


class Bystander:
    """A process that has nothing to do with the guard."""

    def __init__(self, token):
        self.process = subprocess.Popen(["sleep", "600"], env={"BYSTANDER_TOKEN": token}, start_new_session=True)
        self.before = self._look()

    def _look(self):
        pid = self.process.pid
        stopped = _fields(f"/proc/{pid}/status", "State")[:1] in (["T"], ["t"])
        return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), stopped

    def changes(self):
        if self.process.poll() is not None:
            return ["another process was ended"]
        limits = pathlib.Path(f"/proc/{self.process.pid}/limits").read_text()
        if self._look() != self.before or "4242" in limits:
            return ["another process was changed"]
        return []

    def close(self):
        self.process.kill()
        self.process.wait()


class Surroundings:
    def __init__(self, directory):
        self.token = f"s{secrets.token_hex(16)}"      # one name for a highlighter, whatever digits it has
        self.work, self.outside, self.private = (directory / name for name in ("work", "outside", "private"))
        for path in (self.work, self.outside, self.private):
            path.mkdir(parents=True)
        (self.outside / "victim").write_text("as it was\n")
        (self.outside / "folder").mkdir()
        (self.outside / "link").symlink_to(self.work / "mine")
        (self.private / "secret").write_text(self.token + "\n")
        with sqlite3.connect(self.private / "secret.db") as base:
            base.execute("pragma synchronous = off")
            base.execute("create table t as select ? as x", (self.token,))
        self.sockets = {"TCP": socket.create_server(("127.0.0.1", 0)), "UDP": socket.socket(type=socket.SOCK_DGRAM),
                        "UNIX": socket.socket(socket.AF_UNIX)}
        self.sockets["UDP"].bind(("127.0.0.1", 0))
        self.sockets["UNIX"].bind(str(self.outside / "socket"))
        self.sockets["UNIX"].listen()
        for sock in self.sockets.values():
            sock.setblocking(False)
        self.bystander = Bystander(self.token)
        self.keyboard, self.terminal = os.openpty()
        os.write(self.keyboard, f"{self.token}\n".encode())
        self.signals = []
        self.old_handler = signal.signal(signal.SIGUSR1, lambda number, frame: self.signals.append(number))
        self.processes = []
        self.before = _files(self.outside)

    @property
    def names(self):
        """What the cells find in their namespace."""
        return {"outside": str(self.outside), "victim": str(self.outside / "victim"), "evil": str(self.outside / "evil"),
                "secret": str(self.private / "secret"), "touch": ["touch", str(self.outside / "evil")],
                "port": self.sockets["TCP"].getsockname()[1], "udp_port": self.sockets["UDP"].getsockname()[1],
                "unix_path": str(self.outside / "socket"), "bystander": self.bystander.process.pid,
                "terminal": os.ttyname(self.terminal)}

    # ---- while the process lives -----------------------------------------------------------------

    def _members(self, pid):
        """Processes of the session that began with this one."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and int(entry) != pid and os.getsid(int(entry)) == pid:
                    found.append(int(entry))
            except ProcessLookupError:
                pass
        return found

    def _is_ours(self, path):
        return pathlib.Path(path).is_relative_to(self.work) or not path.startswith("/") or path.startswith("/dev/")

    def _descriptors(self, pid):
        links = {}
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                links[entry.name] = os.readlink(entry)
            except FileNotFoundError:
                pass
        writable = [link for fd, link in links.items() if not self._is_ours(link) and " (deleted)" not in link
                    and int((_fields(f"/proc/{pid}/fdinfo/{fd}", "flags") or ["0"])[0], 8) & os.O_ACCMODE in WRITE_MODES]
        inodes = {link[8:-1] for link in links.values() if link.startswith("socket:[")}
        table = [line.split() for name in ("tcp", "tcp6", "udp", "udp6", "raw", "packet", "netlink")
                 if os.path.exists(f"/proc/{pid}/net/{name}")
                 for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]]
        networked = [words for words in table if inodes & set(words[8:])]
        return [f"can write to {link}" for link in writable] + ["has a network socket" for _ in networked]

    def _native_code(self, pid):
        lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        return [f"runs native code from {words[5]}" for words in map(str.split, lines)
                if len(words) > 5 and "x" in words[1] and (words[5].startswith(str(self.work)) or "memfd:" in words[5])
                and "memfd:libffi" not in words[5]]

    def look_at(self, pid):
        """What this process has become."""
        try:
            seen = self._descriptors(pid) + self._native_code(pid)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            seen = []
        self.processes = self._members(pid)
        return seen + [f"has started process {member}" for member in self.processes]

    # ---- at any time -----------------------------------------------------------------------------

    def _messages(self):
        for name, sock in self.sockets.items():
            try:
                sock.recv(100) if name == "UDP" else sock.accept()[0].close()
                yield f"somebody came to the {name} socket"
            except BlockingIOError:
                pass

    def changes(self, output=""):
        """What has happened outside; `output` is all that the process has said."""
        now = _files(self.outside)
        seen = [f"changed: {name}" for name in sorted(now.keys() | self.before.keys())
                if now.get(name) != self.before.get(name)]
        seen += self._messages()
        seen += self.bystander.changes()
        seen += ["sent a signal" for _ in self.signals]
        seen += ["told a secret"] if self.token in output else []
        seen += ["said so: ESCAPED"] if "ESCAPED" in output else []
        return seen

    def wait_for_changes(self, output, seconds):
        deadline = time.monotonic() + seconds
        while not (seen := self.changes(output)) and time.monotonic() < deadline:
            time.sleep(0.01)
        return seen

    def close(self):
        for pid in self.processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        signal.signal(signal.SIGUSR1, self.old_handler)
        self.bystander.close()
        os.close(self.keyboard)
        os.close(self.terminal)
        for sock in self.sockets.values():
            sock.close()
