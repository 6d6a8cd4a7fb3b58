"""The kernel of the build tree as a process of its own, in a directory and on ports of its own.

SAFEPYRUN_BUILD names the build directory (default: build/dev). The environment is small and made
here: nothing of the machine's Jupyter or IPython set-up reaches the kernel.
"""

import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
from frontend import Frontend

PROJECT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("SAFEPYRUN_BUILD", PROJECT / "build" / "dev"))
PROGRAM = BUILD / "bin" / "safepyrun"
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


# Below the range that the system hands out by itself: an outgoing connection of anybody could take a port of that one
# before the kernel binds it, and a client that tries a port where nobody listens yet can even be given that very port.
PORTS = range(20000, 32000)
WORKERS_MAX = 8


def own_ports():
    """Those of this test worker, again and again: a kernel that was just started has not bound its own yet."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MAX
    ports = list(PORTS[worker::WORKERS_MAX])
    random.shuffle(ports)
    return itertools.cycle(ports)


OWN_PORTS = own_ports()


def free_ports(count):
    """Ports that nobody holds; each of the test workers chooses among its own."""
    found = []
    for port in itertools.islice(OWN_PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError("no free ports")


def make_connection(directory, transport="tcp", **fields):
    ports = free_ports(len(CHANNELS)) if transport == "tcp" else range(1, len(CHANNELS) + 1)
    connection = {f"{channel}_port": port for channel, port in zip(CHANNELS, ports)}
    connection |= {
        "transport": transport,
        "ip": "127.0.0.1" if transport == "tcp" else str(directory / "kernel-ipc"),
        "key": "8a0c-a-key-of-our-own",
        "signature_scheme": "hmac-sha256",
        "kernel_name": "safepyrun",
    }
    return connection | fields


def clean_environment(home):
    """PATH, HOME and what sanitizers need; a user's Jupyter settings stay out."""
    kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
    return kept | {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "COLUMNS": "80"}


class KernelProcess:
    """start … stop() of one kernel; `process` is its Popen, `connection` what a front end needs.

    With `registration` the kernel gets that registration file, with `launch` those arguments instead of a
    file; the test then finds out the connection.
    """

    def __init__(self, directory, *, shell="plain", arguments=(), policy=None, environment=None, prefix=(), registration=None, launch=None, **connection):
        self.directory = Path(directory)
        self.home = self.directory / "home"
        self.work = self.directory / "work"
        for each in (self.home, self.work):
            each.mkdir(parents=True, exist_ok=True)
        self.connection = make_connection(self.directory, **connection) if registration is None else registration
        self.file = self.directory / "connection.json"
        self.file.write_text(json.dumps(self.connection))
        self.file.chmod(0o600)
        self.stderr = self.directory / "stderr.txt"
        self.stdout = self.directory / "stdout.txt"
        self.frontends = []
        launched = ["-f", str(self.file)] if launch is None else launch
        command = [*prefix, str(PROGRAM), "kernel", *launched, "--shell", shell, "--python", sys.executable]
        if policy is not None:
            (self.directory / "policy.toml").write_text(policy)
            command += ["--policy", str(self.directory / "policy.toml")]
        self.start([*command, *map(str, arguments)], environment or {})

    def start(self, command, environment):
        self.started = time.monotonic()
        with self.stdout.open("wb") as stdout, self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=self.work,
                env=clean_environment(self.home) | {"JPY_PARENT_PID": str(os.getpid())} | environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def frontend(self, **keywords):
        frontend = Frontend(self.connection, **keywords)
        self.frontends.append(frontend)
        return frontend

    def read_ports(self, timeout=30):
        """After a start with port 0: the connection file as the kernel has rewritten it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            connection = json.loads(self.file.read_text() or "{}")
            if connection.get("shell_port"):
                self.connection = connection
                return connection
            time.sleep(0.01)
        raise TimeoutError("the connection file was not rewritten")

    def family(self):
        """The process and all that it has started, as psutil processes."""
        try:
            leader = psutil.Process(self.process.pid)
            return [leader, *leader.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def guard(self):
        """The guard process: the kernel process has one child."""
        children = psutil.Process(self.process.pid).children()
        assert len(children) == 1, children
        return children[0]

    def wait(self, timeout=5):
        return self.process.wait(timeout)

    def stop(self):
        for frontend in self.frontends:
            frontend.close()
        family = self.family()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for each in family:
            if each.is_running() and each.pid != self.process.pid:
                each.kill()


def gone(processes, timeout=3):
    """True when all these processes have ended (a zombie has)."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):
            return True
        time.sleep(0.02)
    return False
