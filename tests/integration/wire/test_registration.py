"""The kernel startup handshake (JEP 66): the kernel chooses its ports and tells the launcher."""

import hashlib
import hmac
import json

import pytest
import zmq
from frontend import Frontend, text
from kernel_process import CHANNELS

KEY = "a-key-of-the-launcher"
DELIMITER = b"<IDS|MSG>"


def sign(content):
    return hmac.new(KEY.encode(), content, hashlib.sha256).hexdigest().encode()


class Launcher:
    """The registration socket of a launcher."""

    def __init__(self):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")

    def file(self, **fields):
        return {
            "kernel_id": "kernel-é-7",
            "transport": "tcp",
            "registration_ip": "127.0.0.1",
            "registration_port": self.port,
            "signature_scheme": "hmac-sha256",
            "key": KEY,
        } | fields

    def registered(self):
        """(identity, what the kernel said)"""
        assert self.socket.poll(10_000), "the kernel did not register"
        identity, delimiter, signature, content = self.socket.recv_multipart()
        assert delimiter == DELIMITER and signature == sign(content)
        return identity, json.loads(content)

    def acknowledge(self, identity, content=b'{"status":"ok"}', signature=None):
        self.socket.send_multipart([identity, DELIMITER, signature or sign(content), content])

    def close(self):
        self.context.destroy(linger=0)


@pytest.fixture
def launcher():
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.mark.parametrize("written_as", [int, str])
def test_ports_are_told_and_work(start_kernel, launcher, shell, written_as):
    kernel = start_kernel(shell=shell, registration=launcher.file(registration_port=written_as(launcher.port)))
    identity, told = launcher.registered()
    assert told.pop("kernel_id") == "kernel-é-7"
    assert set(told) == {f"{channel}_port" for channel in CHANNELS}
    assert all(isinstance(port, str) for port in told.values())
    launcher.acknowledge(identity)
    connection = {"transport": "tcp", "ip": "127.0.0.1", "key": KEY, "signature_scheme": "hmac-sha256"}
    with Frontend(connection | {name: int(port) for name, port in told.items()}) as front:
        assert text(front.run("print('hello')")[1]) == "hello\n"
    assert json.loads(kernel.file.read_text()) == launcher.file(registration_port=written_as(launcher.port))


def test_an_acknowledgement_with_another_key_ends_the_kernel(start_kernel, launcher):
    kernel = start_kernel(registration=launcher.file())
    identity, _ = launcher.registered()
    launcher.acknowledge(identity, signature=b"0" * 64)
    assert kernel.wait() == 1


def test_a_launcher_that_is_not_there_ends_the_kernel(start_kernel, launcher):
    file = launcher.file()
    launcher.close()
    kernel = start_kernel(registration=file)
    assert kernel.wait(10) == 1


@pytest.mark.parametrize(
    "wrong, named",
    [({"registration_port": 0}, "registration_port"), ({"registration_port": "7x"}, "registration_port"), ({"kernel_id": None}, "kernel_id")],
    ids=["zero", "no number", "no id"],
)
def test_wrong_files_are_named(start_kernel, launcher, wrong, named):
    file = {name: value for name, value in (launcher.file() | wrong).items() if value is not None}
    kernel = start_kernel(registration=file)
    assert kernel.wait() == 1
    assert named in kernel.stderr.read_text()
