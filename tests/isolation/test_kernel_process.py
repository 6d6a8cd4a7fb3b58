"""The kernel process, seen from a cell that runs native code at will: no signal, no memory, no key, no connection file."""

import json
import os

import pytest
from kernel_process import KernelProcess

ATTACK = """
import ctypes, os, json
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()
def attempt(call):
    try:
        return repr(call())[:200]
    except OSError as error:
        return f"refused: {error}"
found = {
    "signal": attempt(lambda: os.kill(parent, 0)),
    "environ": attempt(lambda: open(f"/proc/{parent}/environ", "rb").read()),
    "mem": attempt(lambda: open(f"/proc/{parent}/mem", "rb").read(1)),
    "maps": attempt(lambda: open(f"/proc/{parent}/maps").read(100)),
    "descriptors": attempt(lambda: [os.readlink(f"/proc/{parent}/fd/{n}") for n in range(3, 30)]),
    "connection file": attempt(lambda: open(CONNECTION).read()),
    "its folder": attempt(lambda: open(RUNTIME + "/other.json").read()),
    "limit": libc.prlimit(parent, 4, (ctypes.c_ulong * 2)(), None),
    "ptrace": libc.ptrace(0x4206, parent, None, None),
}
print(json.dumps(found))
"""


@pytest.fixture
def kernel(tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    (runtime / "other.json").write_text('{"key": "of another kernel"}')
    kernel = KernelProcess(tmp_path / "kernel", policy='preset = "open"\n', environment={"JUPYTER_RUNTIME_DIR": str(runtime), "KERNEL_ONLY": "x"})
    kernel.runtime = runtime
    yield kernel
    kernel.stop()


def test_the_kernel_process_is_out_of_reach(kernel):
    with kernel.frontend() as front:
        code = ATTACK.replace("CONNECTION", repr(str(kernel.file))).replace("RUNTIME", repr(str(kernel.runtime)))
        reply, outputs = front.run(code)
        assert reply.content["status"] == "ok", reply.content
        found = json.loads("".join(message.content["text"] for message in outputs if message.msg_type == "stream"))
        assert found.pop("limit") == -1 and found.pop("ptrace") == -1
        assert {name: said for name, said in found.items() if not said.startswith("refused")} == {}
        assert front.run("1 + 1")[0].content["status"] == "ok"


def test_the_ring_is_told_everywhere(kernel):
    with kernel.frontend() as front:
        front.run("1")
        told = front.ask("kernel_info_request")["safepyrun"]["os_ring"]
        assert told["state"] == "active" and told["parts"]["seccomp"]["state"] == "active"


def test_the_guard_has_no_terminal(kernel):
    with kernel.frontend() as front:
        front.run("1")
        stat = open(f"/proc/{kernel.guard().pid}/stat").read().rsplit(")", 1)[1].split()
        session, terminal = int(stat[3]), int(stat[4])
        assert terminal == 0 and session != os.getsid(0)
