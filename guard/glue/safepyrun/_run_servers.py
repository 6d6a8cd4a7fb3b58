"""A warm pool: processes of `safepyrun run --serve`, each of which has its next guard ready.

A process serves one run at a time, so there are as many as runs were under way at once. They end with this
program, or when the pool is closed.
"""

import json
import os
import select
import subprocess
import threading
import time
import weakref


class Server:
    """One process; a run that was not answered is its last."""

    def __init__(self, command):
        # A session of its own: an interrupt at the terminal is for this program, which then ends it.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                         start_new_session=True)

    def ask(self, payload, limit_seconds):
        """The answer's line; None when it does not come in time, "" when the process has ended."""
        until = None if limit_seconds is None else time.monotonic() + limit_seconds
        try:
            self._process.stdin.write(memoryview(json.dumps(payload).encode() + b"\n"))
        except BrokenPipeError:
            return ""
        answer = bytearray()
        readable = select.poll()
        readable.register(self._process.stdout, select.POLLIN)
        while not answer.endswith(b"\n"):
            left = None if until is None else max(0, until - time.monotonic()) * 1000
            if not readable.poll(left):
                return None
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            if not piece:
                return ""
            answer += piece
        return answer.decode()

    def end(self):
        self._process.stdin.close()
        self._process.stdout.close()

    def kill(self):
        self._process.kill()
        self.end()
        self._process.wait()

    def wait(self):
        """What it does at its end takes milliseconds: it clears away the guard that was ready."""
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()


def _end_all(idle):
    servers = [server for _, server in idle]
    idle.clear()
    for server in servers:
        server.end()
    for server in servers:
        server.wait()


class RunServers:
    """Hands a run to a process that is idle, or to a new one."""

    def __init__(self, command):
        self._command = command
        self._idle = []             # (surroundings, Server)
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, _end_all, self._idle)

    def ask(self, payload, limit_seconds):
        """As Server.ask()."""
        surroundings = (os.getpid(), os.getcwd(), dict(os.environ))
        server = self._take(surroundings)
        try:
            answer = server.ask(payload, limit_seconds)
        except BaseException:
            server.kill()
            raise
        if not answer:
            server.kill()
            return answer
        with self._lock:
            if self.close.alive:
                self._idle.append((surroundings, server))
                return answer
        server.kill()
        return answer

    def _take(self, surroundings):
        """A process has the folder and environment that it was started with: another's are of no use."""
        with self._lock:
            while self._idle:
                known, server = self._idle.pop()
                if known == surroundings:
                    return server
                server.end()
                server.wait()
        return Server(self._command)
