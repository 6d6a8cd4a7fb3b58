"""Machines made of this one: a network of the test's own, and hosts in it that are reached by ssh.

`own_network()` takes the calling thread, and what it starts later, to an empty network namespace. A host is a
namespace of networks and processes beside it, joined by a cable that can be pulled; its first process is an sshd, so
that all of a host ends with it. Nothing of the machine's own network takes part, and nothing stays behind. The
file system is shared, but for a home folder each.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil

CLONE_NEWNET = 0x40000000
GATEWAY_ADDRESS = "10.77.0.1"
SSH_PORT = 2222
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")


def run(*command):
    subprocess.run([str(each) for each in command], check=True, timeout=20, capture_output=True)


def missing():
    """Why there can be no hosts here; None when there can."""
    for name, path in {"ip": shutil.which("ip"), "unshare": shutil.which("unshare"), "sshd": SSHD}.items():
        if path is None:
            return f"{name} is not installed"
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "ip", "link",
                           "add", "br0", "type", "bridge"], capture_output=True, text=True, timeout=20)
    return None if done.returncode == 0 else f"no namespaces can be made here: {done.stderr.strip()[:100]}"


def own_network():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "address", "add", f"{GATEWAY_ADDRESS}/24", "dev", "br0")
    run("ip", "link", "set", "br0", "up")


class Keys:
    """A folder as $HOME/.ssh of whom logs in, who may, and the hosts' key."""

    def __init__(self, home):
        self.folder = home / ".ssh"
        self.folder.mkdir(mode=0o700, parents=True)
        for name in ("id_ed25519", "host_key"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name)

    def know(self, address):
        key = (self.folder / "host_key.pub").read_text()
        with (self.folder / "known_hosts").open("a") as file:
            file.write(f"[{address}]:{SSH_PORT} {key}")


SSHD_CONFIG = """
Port {port}
HostKey {keys}/host_key
AuthorizedKeysFile {keys}/id_ed25519.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
ForceCommand export HOME={home}; cd {home}; exec sh -c "$SSH_ORIGINAL_COMMAND"
"""


class Host:
    """One machine; `address` is where it is, `home` where its users are at home."""

    def __init__(self, number, folder, keys):
        self.address = f"10.77.0.{number + 1}"
        self.cable = f"host{number}"
        self.home = Path(folder) / self.cable
        self.home.mkdir()
        config = self.home / "sshd_config"
        config.write_text(SSHD_CONFIG.format(port=SSH_PORT, keys=keys.folder, home=self.home))
        Path("/run/sshd").mkdir(exist_ok=True)      # sshd's own wish
        with (self.home / "sshd.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", f"ip link set lo up; exec {SSHD} -D -e -f {config}"], stdout=log, stderr=log, env={"PATH": os.defpath + ":/usr/sbin:/sbin"})
        self.lay_cable()
        keys.know(self.address)
        self.wait()

    def first_process(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children():
                if child.name() == "sshd":
                    return child
            time.sleep(0.02)
        raise TimeoutError((self.home / "sshd.log").read_text())

    def lay_cable(self):
        pid = self.first_process().pid
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "link", "set", self.cable, "master", "br0", "up")
        run("nsenter", "-t", pid, "-n", "ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        run("nsenter", "-t", pid, "-n", "ip", "link", "set", "eth0", "up")

    def wait(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection((self.address, SSH_PORT), 1):
                    return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError((self.home / "sshd.log").read_text())

    def cut_off(self):
        run("ip", "link", "set", self.cable, "down")

    def reconnect(self):
        run("ip", "link", "set", self.cable, "up")

    def kernels(self):
        """Kernel processes that live on this host."""
        return [each for each in psutil.Process(self.process.pid).children(recursive=True) if each.name() == "safepyrun"]


def end(hosts):
    for host in hosts:
        host.process.kill()     # its first process goes with it, and that takes all others along
    for host in hosts:
        host.process.wait(10)
