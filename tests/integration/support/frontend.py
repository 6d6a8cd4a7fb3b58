"""A bare front end: raw frames over pyzmq, signed and checked here, no jupyter_client in between.

What it is for: to say to a kernel exactly what a test wants to say, wrong things included, and to
look at what comes back before anybody has tidied it up. Every message that arrives is checked for its
signature and its shape; one that is wrong fails the test that reads it.
"""

import hashlib
import hmac
import itertools
import json
import os
import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

import zmq

DELIMITER = b"<IDS|MSG>"
DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
ROUTED = ("shell", "control", "stdin")


@dataclass
class Message:
    """One message as it came; `frames` holds the four signed parts before they were parsed."""

    identities: list
    header: dict
    parent_header: dict
    metadata: dict
    content: dict
    buffers: list = field(default_factory=list)
    frames: list = field(default_factory=list)

    @property
    def msg_type(self):
        return self.header["msg_type"]

    @property
    def parent_id(self):
        return self.parent_header.get("msg_id")

    @property
    def label(self):
        """What expect() calls it: a status goes by its state, a stream by its name."""
        if self.msg_type == "status":
            return self.content["execution_state"]
        return self.content["name"] if self.msg_type == "stream" else self.msg_type


class Frontend:
    """One client of a kernel: its own session, identity and sockets; close() or use as a context."""

    def __init__(self, connection, *, identity=None, subscribe=True, patience=30):
        self.connection = connection
        self.session = os.urandom(8).hex()
        self.identity = (identity or self.session).encode()
        self.counter = itertools.count(1)
        self.context = zmq.Context()
        self.sockets = {}
        self.unread = {"iopub": [], "shell": [], "control": [], "stdin": []}
        for channel in ROUTED:
            self.sockets[channel] = self.connect(channel, zmq.DEALER, identity=self.identity)
        self.wait_for_stdin(patience)
        if subscribe:
            self.subscribe()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.context.destroy(linger=0)

    # ---- sockets

    def endpoint(self, channel):
        port = self.connection[f"{channel}_port"]
        separator = ":" if self.connection["transport"] == "tcp" else "-"
        return f"{self.connection['transport']}://{self.connection['ip']}{separator}{port}"

    def connect(self, channel, kind, identity=None):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.reconnect_ivl = 5        # ms: a kernel that has just been started binds in a moment
        if identity:
            socket.identity = identity
        if kind == zmq.SUB:
            socket.subscribe(b"")
        if "curve_publickey" in self.connection:
            socket.curve_serverkey = self.connection["curve_publickey"].encode()
            socket.curve_publickey = self.connection["curve_publickey"].encode()
            socket.curve_secretkey = self.connection["curve_secretkey"].encode()
        if channel == "stdin":
            self.stdin_events = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        socket.connect(self.endpoint(channel))
        return socket

    def wait_for_stdin(self, timeout):
        """A question that is asked on stdin before the kernel knows this peer would be lost: a ROUTER drops it."""
        assert self.stdin_events.poll(timeout * 1000), "no connection on stdin"

    def subscribe(self):
        """Subscribed when it returns: the kernel has said so."""
        self.sockets["iopub"] = self.connect("iopub", zmq.SUB)
        while self.receive("iopub").msg_type != "iopub_welcome":
            pass

    def ping(self, text=b"ping", timeout=5):
        socket = self.connect("hb", zmq.REQ)
        socket.send(text)
        assert socket.poll(timeout * 1000), "no heartbeat"
        return socket.recv()

    # ---- out

    def sign(self, frames, key=None):
        key = (self.connection["key"] if key is None else key).encode()
        if not key:
            return b""
        name = self.connection["signature_scheme"].removeprefix("hmac-")
        return hmac.new(key, b"".join(frames), getattr(hashlib, name)).hexdigest().encode()

    def header(self, msg_type, **fields):
        return {
            "msg_id": f"{self.session}_{next(self.counter)}",
            "session": self.session,
            "username": "tester",
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "msg_type": msg_type,
            "version": "5.6",
            **fields,
        }

    def send_frames(self, channel, frames, *, signature=None, buffers=()):
        """The four signed parts as bytes, whatever they hold."""
        signature = self.sign(frames) if signature is None else signature
        self.send_raw(channel, [DELIMITER, signature, *frames, *buffers])

    def send_raw(self, channel, parts):
        self.sockets[channel].send_multipart(parts)

    def send(self, channel, msg_type, content=None, *, metadata=None, parent=None, buffers=(), header=None):
        header = self.header(msg_type, **(header or {}))
        parts = [header, parent or {}, metadata or {}, {} if content is None else content]
        self.send_frames(channel, [json.dumps(part).encode() for part in parts], buffers=buffers)
        return header["msg_id"]

    def execute(self, code, *, channel="shell", metadata=None, **content):
        return self.send(channel, "execute_request", {"code": code, **content}, metadata=metadata)

    def answer_input(self, value, request, **content):
        """request: the input_request that is answered"""
        self.send("stdin", "input_reply", {"value": value, **content}, parent=request.header)

    # ---- in

    def parse(self, channel, parts):
        at = parts.index(DELIMITER)
        identities, signature, frames = parts[:at], parts[at + 1], parts[at + 2 : at + 6]
        assert signature == self.sign(frames), f"wrong signature on {channel}"
        header, parent, metadata, content = (json.loads(frame.decode("utf-8", "strict")) for frame in frames)
        message = Message(identities, header, parent, metadata, content, parts[at + 6 :], frames)
        self.check_header(header)
        return message

    @staticmethod
    def check_header(header):
        for name in ("msg_id", "session", "username", "date", "msg_type", "version"):
            assert isinstance(header[name], str), f"header without {name}: {header}"
        assert DATE.match(header["date"]), header["date"]
        assert header["version"] == "5.6", header["version"]

    def receive(self, channel, timeout=30):
        """The next message of a channel in the order of arrival."""
        if self.unread[channel]:
            return self.unread[channel].pop(0)
        if not self.sockets[channel].poll(timeout * 1000):
            raise TimeoutError(f"nothing on {channel} in {timeout} s")
        return self.parse(channel, self.sockets[channel].recv_multipart())

    def take(self, channel, wanted, timeout=30):
        """The first message that `wanted` accepts; those before it stay for later readers."""
        deadline = time.monotonic() + timeout
        passed_over = []
        try:
            while True:
                message = self.receive(channel, max(0, deadline - time.monotonic()))
                if wanted(message):
                    return message
                passed_over.append(message)
        finally:
            self.unread[channel] = passed_over + self.unread[channel]

    def reply(self, msg_id, *, channel="shell", timeout=30):
        return self.take(channel, lambda message: message.parent_id == msg_id, timeout)

    def next_output(self, msg_id, timeout=30):
        return self.take("iopub", lambda message: message.parent_id == msg_id, timeout)

    def until(self, msg_id, label, timeout=30):
        """Everything on iopub that belongs to a request up to a label, this included."""
        messages = []
        while not messages or messages[-1].label != label:
            messages.append(self.next_output(msg_id, timeout))
        return messages

    def outputs(self, msg_id, timeout=30):
        """busy … idle of a request"""
        return self.until(msg_id, "idle", timeout)

    def silence(self, channel, seconds=0.3):
        """Fails when anything arrives."""
        if self.unread[channel] or self.sockets[channel].poll(seconds * 1000):
            raise AssertionError(f"unexpected on {channel}: {self.receive(channel)}")

    # ---- in one go

    def wait_for_copy(self, timeout=10):
        """What the kernel says of itself once a copy of what its cells have made waits."""
        deadline = time.monotonic() + timeout
        while not (status := self.ask("safepyrun_status_request", channel="control"))["copy_is_current"]:
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def ask(self, msg_type, content=None, *, channel="shell", timeout=30, **keywords):
        """A request that is no execution: its reply; busy and idle must frame it."""
        msg_id = self.send(channel, msg_type, content, **keywords)
        reply = self.reply(msg_id, channel=channel, timeout=timeout)
        assert reply.msg_type == msg_type.replace("_request", "_reply")
        assert labels(self.outputs(msg_id, timeout)) == ["busy", "idle"]
        return reply.content

    def run(self, code, *, timeout=20, channel="shell", metadata=None, **content):
        """A cell: (reply, its outputs without busy, execute_input and idle)."""
        msg_id = self.execute(code, channel=channel, metadata=metadata, **content)
        messages = self.outputs(msg_id, timeout)
        reply = self.reply(msg_id, channel=channel, timeout=timeout)
        assert messages[0].label == "busy"
        return reply, [m for m in messages if m.label not in ("busy", "execute_input", "idle")]

    def expect(self, msg_id, *expected, timeout=30):
        """Exactly these labels between busy and idle, these included; pieces of a stream count as one."""
        messages = self.outputs(msg_id, timeout)
        assert labels(messages) == list(expected)
        return messages


def labels(messages):
    found = []
    for message in messages:
        if not (message.msg_type == "stream" and found and found[-1] == message.label):
            found.append(message.label)
    return found


def text(messages, name="stdout"):
    """All that a stream said."""
    return "".join(m.content["text"] for m in messages if m.msg_type == "stream" and m.content["name"] == name)


def only(messages, label):
    """The one message with this label."""
    found = [message for message in messages if message.label == label]
    assert len(found) == 1, labels(messages)
    return found[0]
