"""Jupyter Kernel Gateway as a process, and what its clients do: REST for kernels, a WebSocket for each."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager

import websocket


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Gateway:
    def __init__(self, folder, environment, *arguments):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "gateway.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kernel_gateway", "--KernelGatewayApp.ip=127.0.0.1",
                 f"--KernelGatewayApp.port={self.port}", "--KernelGatewayApp.port_retries=0", *arguments],
                cwd=folder, env=environment, stdout=log, stderr=log)
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                return self.request("GET", "/api")
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise TimeoutError(self.log.read_text())

    def request(self, method, path, body=None, timeout=60):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, method=method), timeout=timeout) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def start_kernel(self, name, **environment):
        """The kernel's id."""
        try:
            return self.request("POST", "/api/kernels", {"name": name, "env": environment})["id"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode() + self.log.read_text()[-4000:]) from None

    def kernel(self, kernel):
        return self.request("GET", f"/api/kernels/{kernel}")

    def interrupt(self, kernel):
        self.request("POST", f"/api/kernels/{kernel}/interrupt")

    def restart(self, kernel):
        self.request("POST", f"/api/kernels/{kernel}/restart")

    def delete(self, kernel):
        self.request("DELETE", f"/api/kernels/{kernel}")

    @contextmanager
    def client(self, kernel):
        client = Client(f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels")
        try:
            yield client
        finally:
            client.close()

    def run(self, kernel, code, timeout=20):
        with self.client(kernel) as client:
            return client.run(code, timeout)

    def kill(self):
        self.process.kill()
        self.process.wait(10)


class Client:
    """A front end behind the gateway: one session on one kernel."""

    def __init__(self, url):
        self.session = uuid.uuid4().hex
        self.socket = websocket.create_connection(f"{url}?session_id={self.session}", timeout=20)

    def send(self, code):
        """The id of the request."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "session": self.session, "msg_type": "execute_request", "username": "", "version": "5.4"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        self.socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}))
        return number

    def receive(self, number, timeout=20):
        """(reply, text of all outputs) of a request."""
        deadline = time.monotonic() + timeout
        reply, idle, printed = None, False, ""
        while reply is None or not idle:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != number:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "execute_reply":
                reply = content
            elif kind == "status":
                idle = content["execution_state"] == "idle"
            elif kind == "stream":
                printed += content["text"]
            elif kind == "execute_result":
                printed += content["data"]["text/plain"]
        return reply, printed

    def run(self, code, timeout=20):
        return self.receive(self.send(code), timeout)

    def wait_for_status(self, number, state, timeout=10):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") == number and message["content"].get("execution_state") == state:
                return
        raise TimeoutError(state)

    def close(self):
        self.socket.close()
