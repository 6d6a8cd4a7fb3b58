"""read_roots and deny_read, with the interpreter ring off: what may not be read is not read by native code either."""

import pytest
from guard_client import Guard
from world import BUILD

SYSTEMS = {"whole": "", "container": "namespaces"}
NATIVE = """import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def read(path):
    fd = libc.open(path.encode(), 0)
    if fd < 0:
        return ctypes.get_errno()
    bytes = ctypes.create_string_buffer(100)
    size = libc.read(fd, bytes, 100)
    return bytes.raw[:size].decode()"""


@pytest.fixture(params=SYSTEMS)
def start(request, tmp_path):
    for name in ("work", "data", "secrets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    degrade = SYSTEMS[request.param]
    environment = {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": degrade} if degrade else {}
    guards = []

    def start(policy):
        guard = Guard(policy_file='preset = "open"\n' + policy, cwd=tmp_path / "work", environment=environment).wait_ready()
        guards.append(guard)
        guard.execute(NATIVE)
        return lambda path: guard.execute(f"read({str(tmp_path / path)!r})").result, guard

    yield start
    for guard in guards:
        guard.close()


def test_read_roots(start, tmp_path):
    read, guard = start(f'read_roots = ["{tmp_path}/data"]\n')
    assert read("data/file") == "'data'" and read("work/file") == "'work'"
    assert read("secrets/file") == "13" and read("/etc/passwd") == "13"
    assert guard.execute("import json, sqlite3, decimal, xml.dom.minidom\nopen('/proc/self/status').read(4)").error is None


def test_deny_read(start, tmp_path):
    read, guard = start(f'deny_read = ["{tmp_path}/secrets"]\n')
    assert read("secrets/file") == "13" and read("data/file") == "'data'"
    (tmp_path / "work" / "later").write_text("later")
    assert read("work/later") == "'later'"
