"""Kernels on three machines behind one gateway: Jupyter Kernel Gateway with gateway_provisioners, over ssh."""

import socket
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00"       # the first words of ZMTP 3.0


@pytest.fixture
def kernel_on(remote):
    """Starts a kernel on a host and ends it with the test."""
    gateway, _ = remote
    started = []

    def start(host):
        started.append(gateway.start_kernel("remote", KERNEL_REMOTE_HOST=host.address))
        return started[-1]

    yield start
    for kernel in started:
        gateway.delete(kernel)


def wait_until(true, timeout=15):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def listening(host):
    """The ports of the host's kernels."""
    listed = subprocess.run(["nsenter", "-t", str(host.kernels()[0].pid), "-n", "ss", "-Hltn"], capture_output=True, text=True, check=True)
    ports = {int(line.split()[3].rsplit(":", 1)[1]) for line in listed.stdout.splitlines()}
    return ports - {2222}


def mechanism(address, port):
    """How a ZeroMQ peer secures what it says."""
    with socket.create_connection((address, port), 0.5) as peer, suppress(TimeoutError):      # who is no ZeroMQ waits for more
        peer.sendall(GREETING)
        greeting = b""
        while len(greeting) < 32 and (more := peer.recv(64)):
            greeting += more
        return greeting[12:32].rstrip(b"\0")
    return b""


def test_each_on_a_machine_of_its_own(remote):
    """In turn over the hosts; there it runs in its folder, in the port range, and speaks CurveZMQ only."""
    gateway, hosts = remote
    kernels = [gateway.start_kernel("remote") for _ in hosts]
    for number, kernel in enumerate(kernels):
        assert gateway.run(kernel, f"n = {number}")[0]["status"] == "ok"
    for number, kernel in enumerate(kernels):
        reply, printed = gateway.run(kernel, "import os; print(n, os.getcwd())")
        assert reply["status"] == "ok"
        assert printed == f"{number} {hosts[number].home}/safepyrun-work\n"
    for host in hosts:
        assert len(host.kernels()) == 1
        ports = listening(host)
        assert len(ports) == 6 and all(40000 <= port < 42000 for port in ports)
        assert sorted(mechanism(host.address, port) for port in ports) == [b""] + [b"CURVE"] * 5     # one is for signals
    for kernel in kernels:
        gateway.delete(kernel)
    assert wait_until(lambda: not any(host.kernels() for host in hosts))


def test_interrupt(remote, kernel_on):
    gateway, hosts = remote
    kernel = kernel_on(hosts[0])
    with gateway.client(kernel) as client:
        client.run("x = 7")
        number = client.send("while True:\n    pass")
        client.wait_for_status(number, "busy")
        gateway.interrupt(kernel)
        assert client.receive(number)[0]["ename"] == "KeyboardInterrupt"
        assert client.run("x")[1] == "7"


def test_a_kernel_that_was_killed_starts_again(remote, kernel_on):
    gateway, hosts = remote
    kernel, bystander = kernel_on(hosts[1]), kernel_on(hosts[1])
    gateway.run(kernel, "x = 1")
    gateway.run(bystander, "x = 2")
    min(hosts[1].kernels(), key=psutil.Process.create_time).kill()
    gateway.restart(kernel)
    assert gateway.run(kernel, "'x' in globals()")[1] == "False"
    assert gateway.run(bystander, "x")[1] == "2"
    assert len(hosts[1].kernels()) == 2


def test_one_machine_is_cut_off(remote, kernel_on):
    gateway, hosts = remote
    kernels = [kernel_on(host) for host in hosts]
    for number, kernel in enumerate(kernels):
        gateway.run(kernel, f"x = {number}")
    hosts[1].cut_off()
    for number in (0, 2):
        assert gateway.run(kernels[number], "x")[1] == str(number)
    assert gateway.run(kernel_on(hosts[2]), "'new'")[1] == "'new'"
    hosts[1].reconnect()
    assert gateway.run(kernels[1], "x", timeout=30)[1] == "1"
