"""Jupyter's gateway_provisioners: the kernel tells a gateway where it listens, and takes signals from it."""

import base64
import json
import signal
import socket
from contextlib import ExitStack, suppress

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from frontend import Frontend, text
from kernel_process import CHANNELS, gone


class GatewayStub:
    """The end of gateway_provisioners that a launcher sees."""

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 1024)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(10)

    def launch(self, **options):
        """The words that it puts into the kernelspec's command."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        options = {
            "response_address": "127.0.0.1:{}".format(self.socket.getsockname()[1]),
            "public_key": base64.b64encode(public).decode(),
            "kernel_id": "kernel-é-7",
            "port_range": "0..0",
            "transport_encryption": "",
        } | options
        return [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]

    def letter(self):
        """What the kernel says."""
        peer, _ = self.socket.accept()
        with peer:
            peer.settimeout(10)
            text = b"".join(iter(lambda: peer.recv(4096), b""))
        payload = json.loads(base64.b64decode(text))
        assert payload["version"] == 1
        key = self.key.decrypt(base64.b64decode(payload["key"]), PKCS1v15())
        cipher = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        padded = cipher.update(base64.b64decode(payload["conn_info"])) + cipher.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return json.loads(unpadder.update(padded) + unpadder.finalize())


@pytest.fixture
def gateway():
    gateway = GatewayStub()
    yield gateway
    gateway.socket.close()


def connection(letter):
    """What a gateway makes of it: it knows the host's address better."""
    return letter | {"ip": "127.0.0.1"}


def ask(letter, request, source="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", letter["comm_port"]), 5, (source, 0)) as peer:
        peer.sendall(json.dumps(request).encode() if not isinstance(request, bytes) else request)


@pytest.mark.parametrize("encryption", ["", "required", "{transport_encryption}"], ids=["plain", "curve", "unknown to the gateway"])
def test_the_gateway_is_told_and_the_kernel_works(start_kernel, gateway, encryption):
    kernel = start_kernel(launch=gateway.launch(transport_encryption=encryption))
    letter = gateway.letter()
    assert letter["kernel_id"] == "kernel-é-7" and letter["pid"] == kernel.process.pid and letter["pgid"] == kernel.process.pid
    assert ("curve_secretkey" in letter) == (encryption == "required")
    assert len(letter["key"]) == 36 and letter["ip"] == "0.0.0.0"
    with Frontend(connection(letter)) as front:
        assert text(front.run("print('hello')")[1]) == "hello\n"
    if encryption == "required":
        with pytest.raises(AssertionError, match="no connection"):
            Frontend({name: value for name, value in connection(letter).items() if not name.startswith("curve")}, patience=1)


def test_ports_come_from_the_range(start_kernel, gateway):
    """All of a range are tried: here exactly the six that are needed are free."""
    first = next(port for port in range(42000, 60000, 10) if all_free(range(port, port + 8)))
    with socket.create_server(("0.0.0.0", first)), socket.create_server(("0.0.0.0", first + 4)):
        start_kernel(launch=gateway.launch(port_range=f"{first}..{first + 7}"))
        letter = gateway.letter()
    chosen = {letter[f"{channel}_port"] for channel in CHANNELS} | {letter["comm_port"]}
    assert chosen == set(range(first, first + 8)) - {first, first + 4}


def all_free(ports):
    try:
        for port in ports:
            socket.create_server(("0.0.0.0", port)).close()
    except OSError:
        return False
    return True


LOOP = "print('on', flush=True)\nwhile True: pass"


def started(front):
    request = front.execute(LOOP)
    front.until(request, "stdout")
    return request


def test_signals(start_kernel, gateway):
    kernel = start_kernel(launch=gateway.launch())
    letter = gateway.letter()
    with Frontend(connection(letter)) as front:
        ask(letter, {"signum": 0})
        request = started(front)
        ask(letter, {"signum": int(signal.SIGINT)})
        assert front.reply(request).content["ename"] == "KeyboardInterrupt"
        ask(letter, {"shutdown": 1})        # is said beside a shutdown_request, and means the launcher
        assert text(front.run("print('on')")[1]) == "on\n"
    ask(letter, {"signum": int(signal.SIGTERM)})
    assert kernel.wait() == 0


def test_a_kernel_that_is_killed_takes_its_guard_along(start_kernel, gateway):
    kernel = start_kernel(launch=gateway.launch())
    letter = gateway.letter()
    with Frontend(connection(letter)) as front:
        front.run("1")
        family = kernel.family()
        ask(letter, {"signum": int(signal.SIGKILL)})
    assert kernel.wait() == -signal.SIGKILL and gone(family)


@pytest.mark.parametrize(
    "request_, source",
    [
        ({"signum": int(signal.SIGTERM)}, "127.0.0.2"),
        ({"signum": int(signal.SIGHUP)}, "127.0.0.1"),
        ({"signum": "15"}, "127.0.0.1"),
        ({"signum": 2**40 + 15}, "127.0.0.1"),
        (b'{"signum": 15', "127.0.0.1"),
        (b'{"signum": 15}' + b" " * 300, "127.0.0.1"),
    ],
    ids=["a stranger", "another signal", "no number", "a large number", "half", "too long"],
)
def test_what_is_not_heard(start_kernel, gateway, request_, source):
    kernel = start_kernel(launch=gateway.launch())
    letter = gateway.letter()
    with Frontend(connection(letter)) as front, suppress(ConnectionError):
        front.run("x = 1")
        ask(letter, request_, source)
    with Frontend(connection(letter)) as front:
        assert text(front.run("print(x)")[1]) == "1\n"
    assert kernel.process.poll() is None


def test_connections_that_say_nothing_keep_nobody_out(start_kernel, gateway):
    kernel = start_kernel(launch=gateway.launch())
    letter = gateway.letter()
    with ExitStack() as silent:
        silent.enter_context(Frontend(connection(letter))).run("1")
        for _ in range(30):
            silent.enter_context(socket.create_connection(("127.0.0.1", letter["comm_port"]), 5))
        ask(letter, {"signum": int(signal.SIGTERM)})
        assert kernel.wait() == 0


def test_a_gateway_that_is_not_there_ends_the_kernel(start_kernel, gateway):
    words = gateway.launch()
    gateway.socket.close()
    assert start_kernel(launch=words).wait() == 1


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"response_address": "127.0.0.1"}, "--response-address"),
        ({"response_address": "127.0.0.1:70000"}, "--response-address"),
        ({"public_key": "AAAA"}, "--public-key"),
        ({"public_key": None}, "--public-key"),
        ({"kernel_id": None}, "--kernel-id"),
        ({"port_range": "7"}, "--port-range"),
        ({"port_range": "9000..8000"}, "--port-range"),
        ({"transport_encryption": "always"}, "--transport-encryption"),
    ],
    ids=lambda value: "-".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else "",
)
def test_wrong_words_are_named(start_kernel, gateway, wrong, named):
    kernel = start_kernel(launch=gateway.launch(**wrong))
    assert kernel.wait() == 1
    assert named in kernel.stderr.read_text()


def test_it_works_in_a_folder_of_its_own(start_kernel, gateway):
    """ssh starts it at home, where the files are that shells run."""
    kernel = start_kernel(launch=[*gateway.launch(), "--directory", "apart"])
    with Frontend(connection(gateway.letter())) as front:
        assert text(front.run("import os; print(os.getcwd())")[1]) == f"{kernel.work}/apart\n"
    assert (kernel.work / "apart").stat().st_mode & 0o777 == 0o700
