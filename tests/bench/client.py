"""A Jupyter client that costs little: raw frames over pyzmq, one kernel, no threads.

jupyter_client spends more time on a message than a fast kernel does, so the benchmark would
measure it instead of the kernel. What is peculiar here and why:
- an id is compared as a whole, never by its prefix; kernels count their ids up;
- SIGINT is given a handler: a benchmark under nohup inherits it ignored, and so would each kernel;
- sockets try again every 1-2 ms while nobody listens yet (libzmq's default of 100 ms would be most
  of a cold start);
- an iopub subscription takes effect some time after the connection: it is proven by a message
  before anything counts.
A Kernel owns its process, sockets and connection file; close() ends all three, and the processes
that the kernel started itself.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import random
import select
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import zmq

DELIMITER = b"<IDS|MSG>"
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
PORTS = range(
    20000, 32000
)  # below the range the system hands out by itself: nobody else takes one in between
RETRY_MS = 1

signal.signal(signal.SIGINT, signal.default_int_handler)
_ports_given: set[int] = set()


class NoAnswer(Exception):
    """The kernel lives but did not answer in time."""


class Died(Exception):
    """The kernel process ended."""


class Message:
    """One message as it came; JSON is parsed when somebody asks for it."""

    def __init__(self, frames: list[bytes]):
        start = frames.index(DELIMITER)
        self.header_bytes, self.parent_bytes, self.metadata_bytes, self.content_bytes = frames[
            start + 2 : start + 6
        ]

    @property
    def msg_type(self) -> str:
        return json.loads(self.header_bytes)["msg_type"]

    @property
    def parent_id(self) -> str | None:
        return json.loads(self.parent_bytes).get("msg_id")

    @property
    def content(self) -> dict:
        return json.loads(self.content_bytes)

    def may_be(self, msg_type: str) -> bool:
        """Cheap, and a no is never wrong: 400,000 streams are not parsed to find one status."""
        return msg_type.encode() in self.header_bytes

    def is_idle(self) -> bool:
        return (
            self.may_be("status")
            and self.msg_type == "status"
            and self.content.get("execution_state") == "idle"
        )


def free_port() -> int:
    """A port that this run has not used: two kernels on the same one have cost us a table."""
    for _ in range(1000):
        port = random.choice(PORTS)
        if port in _ports_given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports_given.add(port)
        return port
    raise OSError("no free port")


def descendants(pid: int) -> list[int]:
    """The process and all that it started, from /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat[stat.rindex(")") + 2 :].split()[1]), []).append(
                int(entry.name)
            )
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


class Kernel:
    """A running kernel and its sockets; `started_ns` is the moment before its process was made."""

    context = zmq.Context()

    def __init__(self, argv: list[str], env: dict[str, str], folder: Path, wrap: str = "{code}"):
        self.wrap = wrap
        self.key = uuid.uuid4().hex.encode()
        self.session = uuid.uuid4().hex
        self._numbers = itertools.count()
        ports = {f"{channel}_port": free_port() for channel in CHANNELS}
        self.connection_file = folder / f"kernel-{self.session}.json"
        self.connection_file.write_text(
            json.dumps(
                ports
                | {
                    "ip": "127.0.0.1",
                    "transport": "tcp",
                    "signature_scheme": "hmac-sha256",
                    "key": self.key.decode(),
                    "kernel_name": "bench",
                }
            )
        )
        self.log = open(folder / "kernel.log", "w+b")
        self.started_ns = time.perf_counter_ns()
        self.process = subprocess.Popen(
            [part.format(connection_file=self.connection_file) for part in argv],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.shell, self.control = (
            self._socket(zmq.DEALER, ports[f"{c}_port"]) for c in ("shell", "control")
        )
        self.iopub = self._socket(zmq.SUB, ports["iopub_port"])

    def _socket(self, kind: int, port: int) -> zmq.Socket:
        made = self.context.socket(kind)
        made.linger, made.rcvhwm, made.sndhwm, made.reconnect_ivl = 0, 0, 0, RETRY_MS
        if kind == zmq.SUB:
            made.subscribe(b"")
        else:
            made.identity = (
                self.session.encode()
            )  # Jupyter's clients use one identity on shell and control too
        made.connect(f"tcp://127.0.0.1:{port}")
        return made

    # -- asking

    def frames(self, msg_type: str, content: dict) -> tuple[str, list[bytes]]:
        """The id and the frames of a request, made and signed before any clock runs."""
        msg_id = f"{self.session}_{os.getpid()}_{next(self._numbers)}"
        header = {
            "msg_id": msg_id,
            "session": self.session,
            "username": "bench",
            "msg_type": msg_type,
            "version": "5.4",
            "date": "2026-01-01T00:00:00.000000Z",
        }
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        signature = hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode()
        return msg_id, [DELIMITER, signature, *parts]

    def cell(self, code: str) -> tuple[str, list[bytes]]:
        return self.frames(
            "execute_request",
            {
                "code": self.wrap.format(code=code, text=code),
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
        )

    def received(self, sockets: list[zmq.Socket], timeout: float):
        """Yield (socket, message) as they come, until the time is up: then NoAnswer, or Died."""
        poller = zmq.Poller()
        for each in sockets:
            poller.register(each, zmq.POLLIN)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            for ready, _ in poller.poll(min(left, 0.25) * 1000):
                try:
                    while True:
                        yield ready, Message(ready.recv_multipart(zmq.NOBLOCK))
                except zmq.Again:
                    pass
            if self.process.poll() is not None:
                raise Died(f"ended with {self.process.returncode}: {self.log_tail()}")
        raise NoAnswer(f"nothing in {timeout:g} s")

    def ask(
        self, channel: zmq.Socket, request: tuple[str, list[bytes]], timeout: float = 30
    ) -> int:
        """Send one request; nanoseconds to its reply."""
        msg_id, frames = request
        sent = time.perf_counter_ns()
        channel.send_multipart(frames)
        for _, message in self.received([channel], timeout):
            if message.parent_id == msg_id:
                return time.perf_counter_ns() - sent
        raise AssertionError("received() ends by an exception only")

    def run(
        self, request: tuple[str, list[bytes]], timeout: float = 60
    ) -> tuple[int, list[Message]]:
        """Run one cell until idle and reply; nanoseconds to its idle, and what iopub said of it."""
        msg_id, frames = request
        heard: list[Message] = []
        idle_ns, replied = 0, False
        sent = time.perf_counter_ns()
        self.shell.send_multipart(frames)
        for channel, message in self.received([self.iopub, self.shell], timeout):
            if channel is self.iopub:
                heard.append(message)
                if message.is_idle() and message.parent_id == msg_id:
                    idle_ns = time.perf_counter_ns() - sent
            elif message.parent_id == msg_id:
                replied = True
                if (content := message.content).get("status") != "ok":
                    raise AssertionError(
                        f"the cell failed: {content.get('ename')}: {content.get('evalue')}"
                    )
            if idle_ns and replied:
                return idle_ns, [each for each in heard if each.parent_id == msg_id]
        raise AssertionError("received() ends by an exception only")

    def idle_until(self, msg_id: str, timeout: float) -> list[Message]:
        """What iopub says idle of, up to this request's. Nothing is parsed before: where thousands of messages come
        at once, the benchmark would measure how fast it reads JSON itself."""
        end = msg_id.encode() + b'"'
        idle: list[list[bytes]] = []
        self.iopub.rcvtimeo = round(timeout * 1000)
        try:
            while not idle or end not in idle[-1][-3]:
                frames = self.iopub.recv_multipart()
                if b'"idle"' in frames[-1] and b'"status"' in frames[-4]:
                    idle.append(frames)
        except zmq.Again:
            raise NoAnswer(f"no end of the last cell in {timeout:g} s") from None
        finally:
            self.iopub.rcvtimeo = -1
        return [Message(frames) for frames in idle]

    def drain(self) -> None:
        """Forget what arrived unasked, so that the next sample does not pay for reading it."""
        for each in (self.shell, self.control, self.iopub):
            try:
                while True:
                    each.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                pass

    # -- beginning and end

    def wait_until_up(self, timeout: float = 60) -> int:
        """Nanoseconds from the start to the first kernel_info_reply; then waits for iopub."""
        info_ns, subscribed, asked = 0, False, set()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            # One request until the kernel is there; then one every 3 ms until iopub tells of one.
            if info_ns or not asked:
                msg_id, frames = self.frames("kernel_info_request", {})
                asked.add(msg_id)
                self.shell.send_multipart(frames)
            try:
                for channel, message in self.received([self.shell, self.iopub], 0.003):
                    if channel is self.iopub:
                        subscribed = True
                    elif message.parent_id in asked:
                        info_ns = info_ns or time.perf_counter_ns() - self.started_ns
                    if info_ns and subscribed:
                        return info_ns
            except NoAnswer:
                continue
        raise NoAnswer(f"not up in {timeout:g} s")

    def result_of(self, code: str, timeout: float = 60) -> int:
        """perf_counter_ns() when the execute_result of this cell arrived; waits for its end."""
        msg_id, frames = self.cell(code)
        self.shell.send_multipart(frames)
        result_ns = 0
        for _, message in self.received([self.iopub], timeout):
            if message.parent_id != msg_id:
                continue
            if message.may_be("execute_result"):
                result_ns = time.perf_counter_ns()
            if message.is_idle():
                break
        if not result_ns:
            raise AssertionError(f"no result of {code!r}")
        return result_ns

    def shut_down(self, timeout: float = 10) -> int:
        """Nanoseconds from shutdown_request to the end of the process."""
        _, frames = self.frames("shutdown_request", {"restart": False})
        watch = os.pidfd_open(self.process.pid)
        try:
            sent = time.perf_counter_ns()
            self.control.send_multipart(frames)
            if not select.select([watch], [], [], timeout)[0]:
                raise NoAnswer(f"still there {timeout:g} s after shutdown_request")
            return time.perf_counter_ns() - sent
        finally:
            os.close(watch)

    def pss_mb(self) -> float:
        """Proportional set size of the kernel and all its processes, in MB."""
        kilobytes = 0
        for pid in descendants(self.process.pid):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += int(
                next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]
            )
        return kilobytes / 1000

    def log_tail(self) -> str:
        self.log.seek(0)
        return self.log.read()[-400:].decode(errors="replace").strip()

    def close(self) -> None:
        for pid in descendants(self.process.pid) if self.process.poll() is None else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        for each in (self.shell, self.control, self.iopub):
            each.close()
        self.log.close()
        self.connection_file.unlink(missing_ok=True)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_) -> None:
        self.close()
