"""[network] allow: what is listed can be reached through the proxy, by nothing else and to nobody else."""

import contextlib
import http.server
import socket
import threading
import time

import psutil
import pytest
from guard_client import Guard
from world import BUILD

SYSTEMS = {"whole": "", "container": "namespaces"}


class Server:
    """Answers every request and remembers it."""

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def servers():
    servers = Server(), Server()
    yield servers
    for server in servers:
        server.close()


def start(directory, allow, preset="workspace", degrade=""):
    environment = {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": degrade} if degrade else {}
    return Guard(policy_file=f'preset = "{preset}"\nban_imports = ["importlib"]\n[network]\nallow = {allow}\n', cwd=directory, environment=environment)


FETCH = "import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1:{port}/x', timeout=10).read())"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("preset", ["workspace", "open"])
def test_what_is_listed_is_reached_and_nothing_else(servers, preset, system, tmp_path):
    listed, other = servers
    with start(tmp_path, [f"127.0.0.1:{listed.port}"], preset, SYSTEMS[system]) as guard:
        outcome = guard.execute(FETCH.format(port=listed.port))
        assert outcome.stdout == "b'hello'\n", outcome.reply
        outcome = guard.execute(FETCH.format(port=other.port))
        assert outcome.error == "HTTPError" and "403" in outcome.reply["evalue"]
        assert "not listed in network.allow" in outcome.reply["evalue"]     # else it looks like the site's own no
        assert listed.asked == ["/x"] and other.asked == []


ATTACKS = {
    "a socket of one's own": "s = socket.create_connection(('127.0.0.1', {other}))\ns.sendall(b'GET /stolen HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\nprint(s.recv(100))",
    "connecting again": "s = socket.socket()\ns.connect(('127.0.0.1', {other}))\ns.connect(('127.0.0.1', {other}))\ns.sendall(b'GET /stolen HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))",
    "a second request on one connection": "s = socket.socket()\ns.sendall(b'GET http://127.0.0.1:{listed}/x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
                                          "GET http://127.0.0.1:{other}/stolen HTTP/1.1\\r\\nHost: y\\r\\n\\r\\n')\nprint(s.recv(100))",
    "a tunnel": "s = socket.socket()\ns.sendall(b'CONNECT 127.0.0.1:{other} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))",
    "a user in front": "s = socket.socket()\ns.sendall(b'CONNECT 127.0.0.1:{listed}@127.0.0.1:{other} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))",
    "a port behind": "s = socket.socket()\ns.sendall(b'CONNECT 127.0.0.1:{other}:{listed} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))",
    "another address": "s = socket.socket()\ns.sendto(b'GET /stolen HTTP/1.1\\r\\n\\r\\n', ('127.0.0.1', {other}))",
    "datagrams": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {other}))",
    "a listener": "s = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()",
    "a local socket": "socket.socket(socket.AF_UNIX).connect('/run/x')",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_way_around_the_proxy(servers, name, tmp_path):
    listed, other = servers
    with start(tmp_path, [f"127.0.0.1:{listed.port}"], "open") as guard:
        outcome = guard.execute("import socket\n" + ATTACKS[name].format(listed=listed.port, other=other.port))
        assert outcome.error in (None, "PermissionError", "OSError", "ConnectionResetError"), outcome.reply
        assert other.asked == []
        assert "200" not in outcome.stdout or name == "a second request on one connection"


def test_a_tunnel_carries_both_ways(servers, tmp_path):
    listed, _ = servers
    with start(tmp_path, [f"localhost:{listed.port}"], "open") as guard:
        outcome = guard.execute("import socket\ns = socket.socket()\n"
                                f"s.sendall(b'CONNECT localhost:{listed.port} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100)[:12])\n"
                                "s.sendall(b'GET /inside HTTP/1.0\\r\\n\\r\\n')\nprint(b''.join(iter(lambda: s.recv(1000), b''))[-5:])")
        assert outcome.stdout == "b'HTTP/1.1 200'\nb'hello'\n", outcome.reply


class Talker:
    """Says a lot before it listens, and then nothing more."""

    AMOUNT = 8 << 20

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = 0
        self.connections = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.connections.append(self.listener.accept()[0])
            except OSError:
                return
            threading.Thread(target=self._talk, args=(self.connections[-1],), daemon=True).start()

    def _talk(self, connection):
        with contextlib.suppress(OSError):
            connection.sendall(b"y" * self.AMOUNT)
            while got := len(connection.recv(1 << 20)):
                self.heard += got

    def close(self):
        for each in (self.listener, *self.connections):
            each.close()


@pytest.fixture
def talker():
    talker = Talker()
    yield talker
    talker.close()


def comes(is_so):
    deadline = time.monotonic() + 20
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


TALK = """import socket, threading
def tunnel():
    s = socket.socket()
    s.sendall(b'CONNECT 127.0.0.1:{port} HTTP/1.1\\r\\n\\r\\n')
    assert s.recv(19) == b'HTTP/1.1 200 OK\\r\\n\\r\\n'
    s.settimeout(10)
    return s
s = tunnel()
got = 0
def hear():
    global got
    while got < {amount}:
        got += len(s.recv(1 << 20))
thread = threading.Thread(target=hear)
thread.start()
s.sendall(bytes({amount}))
s.shutdown(socket.SHUT_WR)
thread.join()
print(got)"""


def test_both_ends_talk_at_once_and_a_closed_one_leaves_nothing(talker, tmp_path):
    with start(tmp_path, [f"127.0.0.1:{talker.port}"], "open") as guard:
        outcome = guard.execute(TALK.format(port=talker.port, amount=talker.AMOUNT))
        assert outcome.stdout == f"{talker.AMOUNT}\n", outcome.reply
        assert comes(lambda: talker.heard == talker.AMOUNT)
        (broker,) = psutil.Process(guard.process.pid).children()
        (serving,) = broker.children()
        assert guard.execute("s.close()").error is None
        assert comes(lambda: serving.status() == psutil.STATUS_ZOMBIE)


def test_no_option_tells_the_network_anything(servers, tmp_path):
    """Joining a multicast group does, and a connection can."""
    listed, _ = servers
    with start(tmp_path, [f"127.0.0.1:{listed.port}"], "open") as guard:
        outcome = guard.execute("import socket, struct\ns = socket.socket()\ns.setsockopt(6, 1, 1), s.setsockopt(1, 9, 1), s.setsockopt(0, 1, 8)\n"
                                "s.setsockopt(0, 42, struct.pack('=IIHH4s', 0, 0, 2, 0, bytes([239, 1, 2, 3])) + bytes(124))")
        assert outcome.error == "PermissionError" and "s.setsockopt(0, 42" in "".join(outcome.reply["traceback"])


def test_without_the_ring_nothing_is_opened(servers, tmp_path):
    listed, _ = servers
    with Guard(policy_file=f'os_ring = "off"\n[network]\nallow = ["127.0.0.1:{listed.port}"]\n', cwd=tmp_path) as guard:
        assert guard.execute(FETCH.format(port=listed.port)).error == "PermissionError"
        assert listed.asked == []


@pytest.mark.parametrize("entry", ["host", "host:", ":1", "host:port", "http://x:1", "a b:1"])
def test_an_entry_is_host_and_port(entry, tmp_path):
    guard = Guard(policy_file=f'[network]\nallow = ["{entry}"]\n', cwd=tmp_path)
    assert guard.receive().name == "FAILED"
    guard.close()
