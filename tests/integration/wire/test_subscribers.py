"""iopub: a welcome for everybody, nothing lost by anybody."""

import contextlib
import socket
import struct
import time

import pytest
import zmq
from frontend import Frontend, labels, text


def test_every_subscriber_is_welcomed(kernel, front):
    for _ in range(3):
        with kernel.frontend(subscribe=False) as other:
            socket = other.connect("iopub", zmq.SUB)
            other.sockets["iopub"] = socket
            message = other.receive("iopub")
            assert message.msg_type == "iopub_welcome"
            assert message.parent_header == {}
            assert message.content == {"subscription": ""}


def test_welcome_names_the_subscription(kernel, front):
    with kernel.frontend(subscribe=False) as other:
        socket = other.context.socket(zmq.SUB)
        socket.subscribe(b"kernel.")
        socket.connect(other.endpoint("iopub"))
        found = other.parse("iopub", socket.recv_multipart())
        assert found.content == {"subscription": "kernel."}


def test_topics(front):
    msg_id = front.execute("print(1)")
    for message in front.outputs(msg_id):
        topic = message.identities[0].decode()
        assert topic.endswith("stream.stdout") if message.msg_type == "stream" else topic.endswith(message.msg_type)


def test_two_subscribers_hear_the_same(kernel, front):
    with kernel.frontend() as other:
        msg_id = front.execute("print('both'); 1")
        assert labels(front.outputs(msg_id)) == labels(other.outputs(msg_id))


def test_slow_subscriber_loses_nothing(kernel, front):
    """20,000 flushed prints to a client that sleeps: ipykernel delivers 15,286, xeus-python 6,249."""
    with Frontend(kernel.connection, subscribe=False) as slow:
        slow.sockets["iopub"] = slow.connect("iopub", zmq.SUB)
        slow.receive("iopub")
        msg_id = slow.execute("for n in range(20_000): print(n, flush=True)")
        time.sleep(3)
        messages = slow.outputs(msg_id, timeout=30)
    assert text(messages) == "".join(f"{n}\n" for n in range(20_000))
    front.outputs(msg_id, timeout=30)


def test_stalled_subscriber_does_not_block_the_others(kernel, front):
    with Frontend(kernel.connection, subscribe=False) as stalled:
        socket = stalled.context.socket(zmq.SUB)
        socket.rcvhwm = 1
        socket.setsockopt(zmq.RCVBUF, 4096)
        socket.subscribe(b"")
        socket.connect(stalled.endpoint("iopub"))
        socket.recv_multipart()
        for _ in range(20):
            _, outputs = front.run("print('x' * 100_000)", timeout=30)
            assert len(text(outputs)) == 100_001
        assert front.ask("kernel_info_request", channel="control")["status"] == "ok"


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + bytes(32)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x04XSUB"


def hear(peer, what):
    heard = b""
    while what not in heard:
        heard += peer.recv(10000) or pytest.fail(f"closed before {what}")


def test_a_topic_of_a_megabyte_is_no_topic(kernel, front):
    """libzmq takes fifty times as much memory for one, and who sends it needs no key. Its own client falls over it."""
    with socket.create_connection(("127.0.0.1", kernel.connection["iopub_port"]), timeout=10) as peer:
        peer.sendall(GREETING)
        hear(peer, b"XPUB")
        peer.sendall(bytes([4, len(READY)]) + READY)
        peer.sendall(b"\x00\x04\x01own")
        hear(peer, b"iopub_welcome")
        peer.sendall(b"\x02" + struct.pack(">Q", 2**20 + 1) + b"\x01")
        with contextlib.suppress(ConnectionResetError):
            assert peer.recv(10000) == b""
    assert text(front.run("print(1)")[1]) == "1\n"
