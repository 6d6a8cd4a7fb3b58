"""Native attacks with the interpreter ring switched off: the OS ring holds alone.

Each attack is first run in a guard without the ring, where it must do what it is about; then in one with it, where nothing
outside of the write root may be another than before. attacks/ holds them, world.py looks from outside.
"""

import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest
from guard_client import BUILD, Guard

SOURCES = sorted((Path(__file__).parent / "attacks").glob("*.c"))
ATTACKS = [name for file in SOURCES for name in re.findall(r"^ATTACK\((\w+)\)", file.read_text(), re.M)]
#: nothing to be seen from outside: what the call returns is what it got
ANSWERS = {"tcp_listen", "netlink", "packet", "raw", "user_namespace", "clone_namespace", "clone3_namespace", "chroot", "setns", "ptrace",
           "process_vm_readv", "proc_mem_read", "proc_environ", "proc_descriptor", "pidfd_getfd", "kcmp", "message_queue", "new_terminal",
           "io_uring", "bpf", "perf", "userfaultfd", "keyring", "read_secret", "read_secret_by_proc", "regain_capabilities",
           "core_file", "outlive_the_kernel"}
#: how little a system may give, and the parts of the ring hold what the others cannot
SYSTEMS = {"whole": "", "container": "namespaces", "container that pivots": "chroot", "no Landlock": "landlock", "Landlock 1": "abi=1", "Landlock 3": "abi=3",
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
    if system == "no Landlock" and not world.has_view():
        pytest.skip("no namespaces for this user here: without Landlock too, the report says that files are not held")
    answer, works = world.shown.get(name) or world.shown.setdefault(name, shown(world, name))
    if not works:
        pytest.skip(f"this user cannot do it without the ring either: {os.strerror(answer)}")
    answer, changed = world.attack(name, degrade=SYSTEMS[system])
    if changed:
        world.restore()
    assert not changed
    if name in ANSWERS:
        assert answer != 0


MODES = """import os, shutil
os.chdir({inside!r})
open('m', 'w').write('x')
os.chmod('m', 0o640), os.utime('m', (5, 5)), shutil.copy2('m', 'n'), os.setxattr('n', 'user.x', b'1')
with open('n') as file:
    os.fchmod(file.fileno(), 0o600)
print(oct(os.stat('m').st_mode & 0o777), oct(os.stat('n').st_mode & 0o777), os.stat('n').st_mtime, os.getxattr('n', 'user.x'))"""


@pytest.mark.parametrize("system", SYSTEMS)
def test_modes_and_times_of_ones_own_files(world, system):
    guard = world.guard(degrade=SYSTEMS[system])
    outcome = guard.execute(MODES.format(inside=str(world.base / "inside")))
    assert outcome.stdout.split() == ["0o640", "0o600", "5.0", "b'1'"], outcome.reply


def test_its_user_can_see_what_it_writes(world):
    """The kernel process keeps max_write_mb by that; without Landlock the other guards of this user could look, too."""
    def looks(degrade):
        look = ["cat", f"/proc/{world.guard(degrade=degrade).process.pid}/io"]
        return subprocess.run(world.as_user(look), capture_output=True, check=False).returncode == 0

    assert looks("")
    if world.has_view():  # without one the broker, which is that user, has to read its memory
        assert looks("landlock") == (world.user == 0)


def test_nothing_is_left_of_the_broker(tmp_path):
    """It ends with the last process under the filter, and not before."""
    environment = {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": "namespaces"}
    with Guard(policy_file='preset = "open"\n', environment=environment, cwd=tmp_path) as guard:
        (broker,) = psutil.Process(guard.process.pid).children()
        assert guard.execute("open('x', 'w')\nimport os\nos.chmod('x', 0o600)").error is None and broker.is_running()
    assert psutil.wait_procs([broker], 5)[1] == []
