"""A gateway, and machines that it starts kernels on. This folder runs in an environment of its own (tests/run cluster)."""

import os
import sys
from pathlib import Path

import kernelspecs
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hosts  # noqa: E402
from gateway import Gateway  # noqa: E402


@pytest.fixture(scope="session")
def network():
    """From here on this process is in a network of its own."""
    reason = hosts.missing()
    if reason is not None:
        pytest.skip(reason)
    hosts.own_network()


@pytest.fixture(scope="module")
def machines(network, tmp_path_factory):
    """(three hosts, the environment of who may log in to them)"""
    folder = tmp_path_factory.mktemp("machines")
    environment = os.environ | kernelspecs.environment(folder)
    keys = hosts.Keys(Path(environment["HOME"]))
    started = []
    try:
        for number in (1, 2, 3):
            started.append(hosts.Host(number, folder, keys))
        yield started, environment
    finally:
        hosts.end(started)


@pytest.fixture(scope="module")
def remote(machines, tmp_path_factory):
    """(gateway, hosts): the kernelspec `remote` runs on the hosts, in turn; all that is said is encrypted."""
    started, environment = machines
    folder = tmp_path_factory.mktemp("gateway")
    addresses = ",".join(host.address for host in started)
    kernelspecs.install(Path(environment["JUPYTER_PATH"]).parents[1], "--name", "remote", "--shell", "plain", "--remote-hosts", addresses)
    # autorestart takes a machine that cannot be reached for a kernel that has died, and gives its state up.
    gateway = Gateway(folder, environment | {
        "GP_SSH_PORT": str(hosts.SSH_PORT),
        "GP_RESPONSE_IP": hosts.GATEWAY_ADDRESS,
        "GP_PORT_RANGE": "40000..41999",
        "GP_UNAUTHORIZED_USERS": "nobody",      # root is, and the tests run as root
        "GP_KERNEL_LOG_DIR": str(folder),
        "GP_POLL_INTERVAL": "0.1",
    }, "--KernelManager.transport_encryption=required", "--KernelManager.autorestart=False")
    yield gateway, started
    gateway.kill()
