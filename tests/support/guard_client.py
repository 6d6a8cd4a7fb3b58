"""A stand-in of the kernel process: starts a guard and speaks frames with it.

For tests of the guard alone, without ZeroMQ and without Jupyter. The frame types come from
guard/link/frame_types.def, so that this file cannot disagree with the C code.
"""

import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SAFEPYRUN_BUILD", ROOT / "build/dev"))
LIBRARY = pathlib.Path(os.environ.get("SAFEPYRUN_LIBRARY", BUILD / "lib/safepyrun"))
FRAMES = re.findall(r"^FRAME\((\w+),", (ROOT / "guard/link/frame_types.def").read_text(), re.M)
NUMBER = {name: number for number, name in enumerate(FRAMES, 1)}
HEADER = struct.Struct("=IHHI")
MAGIC = 0x31525053
#: a policy file for tests that are about how cells run, not about what they may do
OPEN = 'preset = "open"\nok_dests = "any"\nos_ring = "off"\n'
JSON_FRAMES = {"READY", "DISPLAY_DATA", "UPDATE_DISPLAY_DATA", "CLEAR_OUTPUT", "EXECUTE_RESULT", "ERROR", "REPLY",
               "COMM_OPEN", "COMM_MSG", "COMM_CLOSE", "INPUT_REQUEST", "DENIAL"}


class GuardDied(Exception):
    pass


class Frame:
    def __init__(self, name, cell, parts):
        self.name, self.cell, self.parts = name, cell, parts

    @property
    def content(self):
        return json.loads(self.parts[0]) if self.parts and self.name in JSON_FRAMES else None

    @property
    def text(self):
        return self.parts[0].decode(errors="replace")

    def __repr__(self):
        return f"<{self.name} {self.cell} {self.parts}>"


class Outcome:
    """Everything that one request brought back."""

    def __init__(self, frames):
        self.frames = frames
        self.reply = frames[-1].content
        self.names = [frame.name for frame in frames]

    def _stream(self, name):
        return "".join(frame.text for frame in self.frames if frame.name == name)

    @property
    def stdout(self):
        return self._stream("STDOUT")

    @property
    def stderr(self):
        return self._stream("STDERR")

    def all(self, name):
        return [frame.content for frame in self.frames if frame.name == name]

    @property
    def result(self):
        results = self.all("EXECUTE_RESULT")
        return results[0]["data"]["text/plain"] if results else None

    @property
    def error(self):
        errors = self.all("ERROR")
        return errors[0]["ename"] if errors else None


class Guard:
    def __init__(self, shell="plain", python=None, policy=b"", policy_file="", environment=None, cwd=None,
                 command=None):
        ours, theirs = socket.socketpair()
        self.out, out_end = os.pipe()
        self.err, err_end = os.pipe()
        self.pipes = {self.out: b"", self.err: b""}
        command = command or self.command(python)
        null = os.open(os.devnull, os.O_RDONLY)
        self.process = subprocess.Popen(
            command + ["--link-fd", str(theirs.fileno())],
            stdin=null, stdout=out_end, stderr=err_end, pass_fds=[theirs.fileno()], cwd=cwd,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "XDG_CONFIG_HOME": "/nonexistent",
                 **(environment or {})}, start_new_session=True)
        for fd in (null, out_end, err_end):
            os.close(fd)
        theirs.close()
        self.socket = ours
        self.received = bytearray()
        self.cell = 0
        self.count = 0
        self.late = []
        try:
            self.send_configuration(shell, policy, policy_file)
        except BrokenPipeError:  # it has refused already, and says why
            pass

    def send_configuration(self, shell, policy, policy_file):
        """policy_file: the text of one policy file, or a list of (kind, path, text[, problem])."""
        files = [("argument", "policy.toml", policy_file)] if isinstance(policy_file, str) else policy_file
        parts = [str(part).encode() for file in files if file[2] or file[3:] for part in (*file, "")[:4]]
        self.send("CONFIGURE", 0, shell.encode(), policy, *parts)

    @staticmethod
    def command(python):
        if python is None:
            return [str(LIBRARY / "safepyrun-guard")]
        return [python, "-P", "-S", "-X", "utf8", str(LIBRARY / "main.py")]

    # ---- frames ----------------------------------------------------------------------------------

    def send(self, name, cell, *parts):
        head = HEADER.pack(MAGIC, NUMBER[name], len(parts), cell)
        sizes = b"".join(struct.pack("=I", len(part)) for part in parts)
        self.socket.sendall(head + sizes + b"".join(parts))

    def _next(self):
        if len(self.received) < HEADER.size:
            return None
        magic, kind, count, cell = HEADER.unpack_from(self.received)
        assert magic == MAGIC and 0 < kind <= len(FRAMES), "not a frame"
        end = HEADER.size + 4 * count
        if len(self.received) < end:
            return None
        sizes = struct.unpack_from(f"={count}I", self.received, HEADER.size)
        if len(self.received) < end + sum(sizes):
            return None
        parts = []
        for size in sizes:
            parts.append(bytes(self.received[end:end + size]))
            end += size
        del self.received[:end]
        return Frame(FRAMES[kind - 1], cell, parts)

    def _receive_bytes(self):
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            raise GuardDied(self.process.wait(5), self.pipe_text())
        return data

    def receive(self, timeout=30):
        """The next frame; the pipes are drained meanwhile, as the kernel process does."""
        deadline = time.monotonic() + timeout
        while (frame := self._next()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no frame; pipes: {self.pipes}")
            ready, _, _ = select.select([self.socket, *self.pipes], [], [], left)
            for fd in ready:
                if fd is self.socket:
                    data = self._receive_bytes()
                    self.received += data
                else:
                    data = os.read(fd, 1 << 16)
                    self.pipes[fd] += data
                    if not data:
                        self.pipes.pop(fd)
        return frame

    def wait_ready(self):
        self.logged = []
        while (frame := self.receive()).name == "LOG":
            self.logged.append(frame.parts[1].decode())
        if frame.name == "FAILED":
            raise GuardDied(frame.text)
        assert frame.name == "READY", frame
        self.ready = frame.content
        return self

    def collect(self, cell, timeout=30, answers=()):
        """Frames up to the reply of a request; INPUT_REQUESTs are answered from `answers`."""
        frames, answers = [], list(answers)
        while True:
            frame = self.receive(timeout)
            if frame.cell not in (cell, 0) and frame.name in ("STDOUT", "STDERR", "DISPLAY_DATA"):
                self.late.append(frame)
                continue
            frames.append(frame)
            if frame.name == "INPUT_REQUEST":
                self.send("INPUT_REPLY", cell, json.dumps({"value": answers.pop(0)}).encode())
            if frame.name == "REPLY":
                assert frame.cell == cell
                return Outcome(frames)

    # ---- requests --------------------------------------------------------------------------------

    def start(self, code, **content):
        self.cell += 1
        if not content.get("silent") and content.get("store_history", True):
            self.count += 1
        context = {"execution_count": self.count, "msg_id": f"m{self.cell}", "session": "s", "metadata": {}}
        self.send("EXECUTE", self.cell, json.dumps({"code": code, **content}).encode(), json.dumps(context).encode())
        return self.cell

    def execute(self, code, timeout=30, answers=(), **content):
        return self.collect(self.start(code, **content), timeout, answers)

    def ask(self, name, **content):
        self.cell += 1
        self.send(name, self.cell, json.dumps(content).encode())
        return self.collect(self.cell).reply

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)

    def pipe_text(self):
        while select.select(list(self.pipes), [], [], 0)[0]:
            for fd in select.select(list(self.pipes), [], [], 0)[0]:
                data = os.read(fd, 1 << 16)
                if not data:
                    return "".join(data.decode() for data in self.pipes.values())
                self.pipes[fd] += data
        return "".join(data.decode() for data in self.pipes.values())

    def shut_down(self, timeout=5):
        self.send("SHUTDOWN", 0)
        return self.process.wait(timeout)

    def close(self):
        self.socket.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.err)

    def __enter__(self):
        return self.wait_ready()

    def __exit__(self, *unused):
        self.close()
