"""From the command line to the first answer: connection files, transports, hashes, silence."""

import hashlib
import json
import shutil
import stat
import sys
import time

import kernel_process
import pytest
from frontend import text

HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256", "sha3_512"]


def hello(kernel):
    with kernel.frontend() as front:
        assert text(front.run("print('hello')")[1]) == "hello\n"


def test_ipc(start_kernel, shell):
    kernel = start_kernel(shell=shell, transport="ipc")
    hello(kernel)
    kernel.process.terminate()
    kernel.wait()
    assert list(kernel.directory.glob("kernel-ipc-*")) == []


@pytest.mark.parametrize("name", HASHES)
def test_hash(start_kernel, name):
    hello(start_kernel(signature_scheme=f"hmac-{name}"))


def test_unknown_hash_is_refused(start_kernel):
    kernel = start_kernel(signature_scheme="hmac-rot13")
    assert kernel.wait() != 0
    assert "rot13" in kernel.stderr.read_text()


def test_without_a_key_nothing_is_signed(start_kernel):
    hello(start_kernel(key=""))


def test_port_zero(start_kernel, shell):
    ports = {f"{channel}_port": 0 for channel in ("shell", "iopub", "stdin", "control", "hb")}
    kernel = start_kernel(shell=shell, **ports, extra="kept")
    connection = kernel.read_ports()
    assert all(connection[name] for name in ports)
    assert connection["extra"] == "kept" and connection["key"]
    assert stat.S_IMODE(kernel.file.stat().st_mode) == 0o600
    hello(kernel)


def test_kernel_info_before_python_is_up(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        reply = front.ask("kernel_info_request")
        assert reply["language_info"]["version"].startswith("3.")


@pytest.mark.timing
def test_kernel_info_is_quick(start_kernel, shell):
    times = []
    for _ in range(5):
        kernel = start_kernel(shell=shell)
        front = kernel.frontend(subscribe=False)
        msg_id = front.send("shell", "kernel_info_request")
        front.reply(msg_id)
        times.append(time.monotonic() - kernel.started)
        kernel.stop()
    assert min(times) < 0.25, times


def test_cells_sent_at_once_wait_for_python(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend(subscribe=False)
    msg_ids = [front.execute(f"{n}") for n in range(3)]
    assert [front.reply(msg_id, timeout=20).content["execution_count"] for msg_id in msg_ids] == [1, 2, 3]


def test_unknown_arguments_are_tolerated(start_kernel, shell):
    hello(start_kernel(shell=shell, arguments=["--HistoryManager.hist_file=:memory:", "--debug", "--unknown", "value"]))


@pytest.mark.parametrize("arguments", [["--shell", "bash"], ["--on-guard-death", "dance"]])
def test_a_wrong_value_of_ours_is_an_error(start_kernel, arguments):
    kernel = start_kernel(arguments=arguments)
    assert kernel.wait() != 0
    assert arguments[1] in kernel.stderr.read_text()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"transport": "tcp"}', '{"transport": "pigeon", "ip": "127.0.0.1"}'])
def test_a_wrong_connection_file_is_an_error(start_kernel, content, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text(content)
    kernel = start_kernel(arguments=["-f", broken])
    assert kernel.wait() != 0
    assert "broken.json" in kernel.stderr.read_text()


def test_stderr_and_stdout_stay_silent(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("import sys, os; print(1); print(2, file=sys.stderr); os.write(2, b'3'); 1 / 0")
        front.send_frames("shell", [b"{}"] * 4, signature=b"wrong")
        front.send("control", "shutdown_request", {"restart": False})
        kernel.wait()
    assert kernel.stderr.read_bytes() == kernel.stdout.read_bytes() == b""


def test_log_file(start_kernel, tmp_path):
    log = tmp_path / "kernel.log"
    kernel = start_kernel(arguments=["--log", log, "--log-level", "debug"])
    with kernel.frontend() as front:
        front.send_frames("shell", [b"{}"] * 4, signature=b"wrong")
        front.run("1")
    written = log.read_text()
    assert "signature" in written.lower()
    assert kernel.connection["key"] not in written


def test_a_cell_cannot_fill_the_log(start_kernel, tmp_path):
    log = tmp_path / "kernel.log"
    kernel = start_kernel(arguments=["--log", log])
    with kernel.frontend() as front:
        front.run("import sys\nlog = sys.modules['safepyrun._guard'].log\nfor i in range(1000): log('error', f'{i} ' + 'ä' * 10000)")
    lines = [line for line in log.read_text().splitlines() if "guard: " in line]
    assert 100 < len(lines) < 250 and max(map(len, lines)) < 4100 and lines[0].rstrip("ä").endswith("guard: 0 ")


def test_starting_status_and_new_session(start_kernel):
    sessions = set()
    for _ in range(2):
        kernel = start_kernel()
        with kernel.frontend() as front:
            reply, _ = front.run("1")
            sessions.add(reply.header["session"])
    assert len(sessions) == 2


def test_the_connection_file_is_not_touched_otherwise(start_kernel):
    kernel = start_kernel()
    before = kernel.file.read_bytes()
    hello(kernel)
    assert kernel.file.read_bytes() == before
    assert json.loads(before)["key"] == kernel.connection["key"]


def test_hash_names_are_pythons():
    assert set(HASHES) <= hashlib.algorithms_guaranteed


# ---- what is missing is named --------------------------------------------------------------------------


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """A copy of the build, to be damaged; cells run in a Python that safepyrun-guard is not there for."""
    copy = tmp_path / "installation"
    shutil.copytree(kernel_process.BUILD / "bin", copy / "bin")
    shutil.copytree(kernel_process.BUILD / "lib/safepyrun", copy / "lib/safepyrun")
    (copy / "lib/safepyrun/safepyrun-guard").unlink()
    monkeypatch.setattr(kernel_process, "PROGRAM", copy / "bin/safepyrun")
    return copy / "lib/safepyrun"


def why_not(kernel):
    with kernel.frontend() as front:
        reply, _ = front.run("1")
        assert reply.content["ename"] == "GuardFailed"
        return reply.content["evalue"]


@pytest.mark.unsanitized
def test_a_copy_of_the_installation_works(start_kernel, installation):
    with start_kernel().frontend() as front:
        assert front.run("1")[0].content["status"] == "ok"


def test_a_policy_that_is_not_there(start_kernel, tmp_path):
    """A kernel that ended would leave the reason in the log of a server that nobody reads."""
    kernel = start_kernel(arguments=["--policy", str(tmp_path / "moved.toml")])
    assert f"policy file {tmp_path}/moved.toml: it cannot be read: No such file" in why_not(kernel)


def test_a_python_that_is_too_old(start_kernel, tmp_path):
    """It does not know -P: what follows is what Python 3.10 says, and its exit status."""
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\necho 'Unknown option: -P' >&2\necho 'Try `python -h'\\'' for more information.' >&2\nexit 2\n")
    old.chmod(0o755)
    assert why_not(start_kernel(arguments=["--python", str(old)])).endswith("for more information. Is its Python 3.11 or newer?")


def test_a_missing_module(start_kernel, installation):
    (installation / "safepyrun/_guard.abi3.so").unlink()
    assert f"it said: {installation}/safepyrun/_guard.abi3.so is missing; install safepyrun again" in why_not(start_kernel())


def test_a_damaged_module(start_kernel, installation):
    (installation / "safepyrun/_guard.abi3.so").write_text("no library")
    assert f"it said: ImportError: {installation}/safepyrun/_guard.abi3.so: " in why_not(start_kernel())


def test_missing_python_files(start_kernel, installation):
    shutil.rmtree(installation / "safepyrun")
    assert "it said: ModuleNotFoundError: No module named 'safepyrun'" in why_not(start_kernel())
    (installation / "main.py").unlink()
    assert f"'{installation}/main.py': [Errno 2] No such file or directory" in why_not(start_kernel())


def test_a_folder_that_is_gone(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("1")
        kernel.work.rmdir()
        evalue = front.run("open('x', 'w')")[0].content["evalue"]
        assert "the current folder is gone; restart the kernel in a folder that exists" in evalue
        assert "('.' (a folder that is gone), '" in front.run("open('/srv/x', 'w')")[0].content["evalue"]


def test_a_start_in_a_folder_that_is_gone(start_kernel, shell):
    kernel = start_kernel(shell=shell, prefix=("/bin/sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "start"))
    with kernel.frontend() as front:
        assert "the folder in which it would start is gone. Start the kernel again" in front.run("1")[0].content["evalue"]


def test_a_temporary_folder_that_is_gone_costs_nothing(start_kernel):
    kernel = start_kernel(environment={"TMPDIR": "/no/such/folder"})
    with kernel.frontend() as front:
        assert front.run("import tempfile; tempfile.TemporaryFile().write(b'1')")[0].content["status"] == "ok"


def test_what_an_earlier_session_left_below_pythonpath(start_kernel, tmp_path, shell):
    """Python itself imports a sitecustomize.py that it finds there; in a write root it may be a cell's."""
    for name in ("sitecustomize", "usercustomize", "encodings"):
        (tmp_path / "0" / "work").mkdir(parents=True, exist_ok=True)
        (tmp_path / "0" / "work" / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "0" / "work" / "mine.py").write_text("value = 6 * 7")
    kernel = start_kernel(shell=shell, environment={"PYTHONPATH": str(tmp_path / "0" / "work")})
    with kernel.frontend() as front:
        assert text(front.run("import mine, os; print(mine.value, os.environ['PYTHONPATH'])")[1]) == f"42 {kernel.work}\n"
    assert not (tmp_path / "ran").exists()


def test_a_virtual_environment_that_names_half_a_version(start_kernel, tmp_path):
    """Its Python is asked later: until then kernel_info repeats what pyvenv.cfg says."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    (tmp_path / "pyvenv.cfg").write_text("version = 3\n")
    front = start_kernel(arguments=["--python", str(tmp_path / "bin/python")]).frontend()
    assert "." in front.ask("kernel_info_request", channel="control", timeout=10)["language_info"]["version"]
