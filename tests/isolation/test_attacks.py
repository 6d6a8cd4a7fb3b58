"""Native attacks with the interpreter ring switched off: the OS ring holds alone.

Each attack is first run in a guard without the ring, where it must do what it is about; then in one with it, where nothing
outside of the write root may be another than before. attacks.c holds them, world.py looks from outside.
"""

import os
import re
from pathlib import Path

import pytest

ATTACKS = re.findall(r"^ATTACK\((\w+)\)", (Path(__file__).parent / "attacks.c").read_text(), re.M)
#: nothing to be seen from outside: what the call returns is what it got
ANSWERS = {"tcp_listen", "netlink", "packet", "raw", "user_namespace", "clone_namespace", "clone3_namespace", "chroot", "setns", "ptrace",
           "process_vm_readv", "proc_mem_read", "proc_environ", "proc_descriptor", "pidfd_getfd", "kcmp", "message_queue", "new_terminal",
           "io_uring", "bpf", "perf", "userfaultfd", "keyring", "read_secret", "read_secret_by_proc", "regain_capabilities",
           "core_file", "outlive_the_kernel"}
#: how little a system may give, and the parts of the ring hold what the others cannot
SYSTEMS = {"whole": "", "container": "namespaces", "no Landlock": "landlock", "Landlock 1": "abi=1", "Landlock 3": "abi=3",
           "Landlock 5, container": "namespaces,abi=5", "Landlock 1, container": "namespaces,abi=1"}
#: with neither a namespace nor Landlock, or without the right ABI, these are said to be missing
NOT_HELD = {"no Landlock": {"proc_mem_read", "proc_environ", "proc_descriptor", "read_secret_by_proc"}}


def shown(world, name):
    """Whether the attack works where nothing holds it; the world is as before in any case."""
    answer, changed = world.attack(name, ring="off")
    if changed:
        world.restore()
    return answer, (answer == 0 if name in ANSWERS else changed)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", ATTACKS)
def test_attack(world, name, system):
    if name in NOT_HELD.get(system, ()):
        pytest.skip("without Landlock the report says that this is not held")
    answer, works = world.shown.get(name) or world.shown.setdefault(name, shown(world, name))
    if not works:
        pytest.skip(f"this user cannot do it without the ring either: {os.strerror(answer)}")
    answer, changed = world.attack(name, degrade=SYSTEMS[system])
    if changed:
        world.restore()
    assert not changed
    if name in ANSWERS:
        assert answer != 0
