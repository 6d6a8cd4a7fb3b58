"""`safepyrun doctor`: exit status 0 when a kernel would start, and a row that says why when not."""

import subprocess
import sys

import pytest
from kernel_process import PROGRAM, clean_environment


@pytest.fixture
def doctor(tmp_path):
    def run(*arguments, **variables):
        environment = clean_environment(tmp_path) | {name: str(value) for name, value in variables.items()}
        return subprocess.run([PROGRAM, "doctor", *map(str, arguments)], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=60)
    return run


def verdicts(done):
    """{subject: how its row begins}; a subject with several rows has the last one's."""
    rows = [line[2:].split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    return {rest[:13].strip(): verdict for verdict, rest in rows}


def test_a_kernel_would_start(doctor):
    done = doctor()
    found = verdicts(done)
    assert done.returncode == 0 and done.stdout.endswith("\nA kernel would start here.\n"), done.stdout
    assert found["Python"] == found["guard"] == found["sockets"] == found["audit log"] == "ok"
    assert {"landlock", "seccomp", "mount_view", "cgroup", "containers", "CurveZMQ"} <= set(found)
    assert found["kernelspec"] == "absent"
    assert done.stderr == ""


def test_the_shell_is_that_of_the_python(doctor):
    assert verdicts(doctor("--python", sys.executable))["IPython"] == "ok"
    (line,) = [line for line in doctor().stdout.splitlines() if line.split()[1:2] == ["IPython"]]
    assert line.split()[0] == "ok" or "IPython is not installed; in a terminal: " in line


def test_what_the_policy_switches_off_is_not_called_active(doctor, tmp_path):
    (tmp_path / "policy.toml").write_text('os_ring = "off"\n')
    found = verdicts(doctor("--policy", tmp_path / "policy.toml"))
    assert found["seccomp"] == found["landlock"] == "off"


@pytest.mark.parametrize("content, words", [("limits.timeout = 3\n", "there is no key limits.timeout"),
                                            ('[setup]\nfiles = ["tools.py"]\n', "tools.py")])
def test_a_wrong_policy(doctor, tmp_path, content, words):
    (tmp_path / "policy.toml").write_text(content)
    done = doctor("--policy", tmp_path / "policy.toml")
    assert done.returncode == 1 and verdicts(done)["guard"] == "wrong"
    assert words in done.stdout and "No kernel would start here" in done.stdout


def test_each_mistake_stays_in_its_column(doctor, tmp_path):
    (tmp_path / "policy.toml").write_text("first = 1\nsecond = 2\n")
    done = doctor("--policy", tmp_path / "policy.toml")
    lines = done.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.split()[:2] == ["wrong", "guard"]]
    column = lines[at].index("policy file")
    assert "there is no key first" in lines[at] and "there is no key second" in lines[at + 1]
    assert lines[at + 1].index("policy file") == column


def test_no_such_policy_file(doctor, tmp_path):
    done = doctor("--policy", tmp_path / "policy.toml")
    assert done.returncode == 1 and "No such file" in done.stdout


def test_a_set_up_file_that_fails(doctor, tmp_path):
    (tmp_path / "tools.py").write_text("1 / 0\n")
    (tmp_path / "policy.toml").write_text('[setup]\nfiles = ["tools.py"]\n')
    done = doctor("--policy", tmp_path / "policy.toml")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stdout


def test_a_python_that_is_none(doctor):
    done = doctor("--python", "/bin/true")
    assert done.returncode == 1 and verdicts(done)["Python"] == "wrong"
    assert "not a Python that works" in done.stderr


def test_kernelspecs_and_where_they_lead(doctor, tmp_path):
    environment = clean_environment(tmp_path)
    policy = tmp_path / "policy.toml"
    policy.write_text("ban_defs = false\n")
    subprocess.run([PROGRAM, "install", "--user", "--policy", policy], env=environment, check=True, capture_output=True)
    done = doctor()
    assert done.returncode == 0 and verdicts(done)["kernelspec"] == "ok"
    policy.unlink()
    done = doctor()
    assert done.returncode == 1 and verdicts(done)["kernelspec"] == "wrong"
    assert f"the policy file {policy} cannot be read" in done.stdout
    assert "A kernel would start here, but" in done.stdout


def test_a_kernelspec_whose_program_is_gone(doctor, tmp_path):
    folder = tmp_path / "share" / "kernels" / "old"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["/nowhere/bin/safepyrun", "kernel", "-f", "{connection_file}"]}')
    done = doctor(JUPYTER_PATH=tmp_path / "share")
    assert done.returncode == 1 and "the program /nowhere/bin/safepyrun cannot be run" in done.stdout


def test_the_kernelspec_of_a_wheel_names_its_program_relative_to_itself(doctor, tmp_path):
    folder = tmp_path / "share" / "kernels" / "wheel"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["{resource_dir}/../../../bin/safepyrun", "kernel", "-f", "{connection_file}"]}')
    done = doctor(JUPYTER_PATH=tmp_path / "share")
    assert done.returncode == 1 and f"the program {folder}/../../../bin/safepyrun cannot be run" in done.stdout
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "safepyrun").symlink_to(PROGRAM)
    done = doctor(JUPYTER_PATH=tmp_path / "share")
    assert done.returncode == 0 and verdicts(done)["kernelspec"] == "ok"


def test_an_audit_log_that_cannot_be_written(doctor, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    done = doctor(XDG_STATE_HOME=tmp_path / "state")
    assert done.returncode == 0 and verdicts(done)["audit log"] == "absent"


def test_it_leaves_nothing_behind(doctor, tmp_path):
    before = set(tmp_path.rglob("*"))
    doctor()
    assert {path.name for path in set(tmp_path.rglob("*")) - before} <= {".local", "state", "safepyrun", "audit.jsonl"}


@pytest.mark.parametrize("arguments", [("--wrong",), ("--python",), ("extra", "words")])
def test_arguments_that_make_no_sense(doctor, arguments):
    done = doctor(*arguments)
    assert done.returncode == 2 and "usage: safepyrun doctor" in done.stderr and done.stdout == ""
