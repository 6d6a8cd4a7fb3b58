"""CurveZMQ: with a key pair in the connection file nothing crosses the sockets in the clear."""

import socket

import kernelspecs
import pytest
import zmq
from frontend import Frontend, text
from jupyter_client.manager import KernelManager


def keys():
    public, secret = zmq.curve_keypair()
    return {"curve_publickey": public.decode(), "curve_secretkey": secret.decode()}


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_client_with_the_keys_works(start_kernel, shell, transport):
    kernel = start_kernel(shell=shell, transport=transport, **keys())
    with kernel.frontend() as front:
        assert text(front.run("print('hello')")[1]) == "hello\n"
        assert front.ping(b"x") == b"x"


def test_a_client_without_them_is_not_heard(start_kernel):
    kernel = start_kernel(**keys())
    with kernel.frontend() as front:
        front.run("1")
    plain = {name: value for name, value in kernel.connection.items() if not name.startswith("curve")}
    with pytest.raises(AssertionError, match="no connection"):
        Frontend(plain, patience=1).close()


def test_other_server_keys_are_not_accepted(start_kernel):
    kernel = start_kernel(**keys())
    with kernel.frontend() as front:
        front.run("1")
    with pytest.raises(AssertionError, match="no connection"):
        Frontend(kernel.connection | keys(), patience=1).close()


def test_every_socket_greets_with_curve(start_kernel):
    """What a stranger sees on the wire: ZMTP's greeting names the mechanism before anything else is said."""
    kernel = start_kernel(**keys())
    with kernel.frontend() as front:
        front.run("1")
    for channel in ("shell", "iopub", "stdin", "control", "hb"):
        with socket.create_connection(("127.0.0.1", kernel.connection[f"{channel}_port"]), 5) as raw:
            raw.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32))
            greeting = b""
            while len(greeting) < 32:
                greeting += raw.recv(64)
        assert greeting[12:17] == b"CURVE", channel


@pytest.mark.parametrize("wrong", [{"curve_secretkey": None}, {"curve_publickey": "short"}], ids=["half", "short"])
def test_wrong_keys_end_the_kernel(start_kernel, wrong):
    pair = keys() | wrong
    kernel = start_kernel(**{name: value for name, value in pair.items() if value is not None})
    assert kernel.wait() == 1
    assert "curve_secretkey" in kernel.stderr.read_text()


def test_a_manager_that_requires_encryption(tmp_path, monkeypatch):
    """jupyter_client makes the keys when the kernelspec says that we know what to do with them."""
    kernelspecs.install(tmp_path)
    for name, value in kernelspecs.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    manager = KernelManager(kernel_name="safepyrun", transport_encryption="required")
    manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=20)
        assert client.execute_interactive("1", timeout=10, output_hook=lambda message: None)["content"]["status"] == "ok"
        assert manager.get_connection_info()["curve_publickey"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
