"""What ContainerEngine tells the engine's program: a stand-in writes it down. And what is said without an engine (S12)."""

import json
import sys
import threading

import pytest
from safepyrun import ContainerEngine, run_code

STAND_IN = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], {{name: os.environ.get(name) for name in ("DOCKER_HOST", "DOCKER_SSH_COMMAND")}}]) + "\\n")
words = sys.argv[3:] if sys.argv[1] == "--context" else sys.argv[1:]
if words[:2] == ["exec", "-i"]:
    print(json.dumps({{"ok": True, "result": words[2]}}))
if words[0] == {fails!r}:
    sys.exit("it does not work")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    log = tmp_path / "log"

    def make(fails=""):
        program = tmp_path / "docker"
        program.write_text(STAND_IN.format(python=sys.executable, log=str(log), fails=fails))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return lambda: [json.loads(line) for line in log.read_text().splitlines()]

    return make


def test_without_a_program_the_run_fails_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run_code("result = 1", engine=ContainerEngine())
    assert (done.ok, done.result, done.exit_code) == (False, None, 125) and "there is no program docker" in done.error


@pytest.mark.parametrize("fails, words", [("info", "cannot be reached: it does not work"), ("run", "cannot start a container")])
def test_without_a_working_engine_the_run_fails_and_says_so(stand_in, fails, words):
    stand_in(fails)
    done = run_code("result = 1", engine=ContainerEngine(image="i"))
    assert (done.ok, done.result, done.exit_code) == (False, None, 125) and words in done.error


def test_an_image_that_is_nowhere_is_told(stand_in, tmp_path):
    stand_in("image")
    program = tmp_path / "docker"
    program.write_text(program.read_text().replace("== 'image'", "in ('image', 'pull')"))
    assert "there is no image nowhere" in run_code("1", engine=ContainerEngine(image="nowhere")).error


def test_a_context_goes_before_every_command(stand_in):
    calls = stand_in()
    assert run_code("1", engine=ContainerEngine(image="i", docker_context="far")).ok
    assert {tuple(words[:2]) for words, _ in calls()} == {("--context", "far")}


def test_an_ssh_host_goes_into_the_environment(stand_in):
    calls = stand_in()
    engine = ContainerEngine(image="i", ssh_host="host", ssh_user="me", ssh_port=2222, ssh_key_path="/k")
    assert run_code("1", engine=engine).ok
    for _, environment in calls():
        assert environment == {"DOCKER_HOST": "ssh://me@host:2222", "DOCKER_SSH_COMMAND": "ssh -p 2222 -i /k"}


@pytest.mark.parametrize("options", [{"docker_context": "c", "docker_host": "h"}, {"docker_context": "c", "ssh_host": "h"},
                                     {"ssh_user": "u"}, {"ssh_port": 1}, {"ssh_key_path": "k"}, {"packages": ["numpy"]}])
def test_options_that_contradict_each_other(options):
    with pytest.raises(ValueError):
        ContainerEngine(**options)


def test_containers_have_no_network_and_no_rights(stand_in):
    calls = stand_in()
    assert run_code("1", engine=ContainerEngine(image="i")).ok
    [run] = [words for words, _ in calls() if words[0] == "run"]
    for pair in (["--network", "none"], ["--cap-drop", "ALL"], ["--security-opt", "no-new-privileges"], ["--memory", "384m"],
                 ["--label", "safepyrun.managed=true"]):
        assert run[run.index(pair[0]):][:2] == pair


def test_pinned_packages_make_an_image_once(stand_in):
    calls = stand_in()
    engine = ContainerEngine(image="i", packages=["b==2", "a==1"])
    assert run_code("1", engine=engine).ok and run_code("1", engine=engine).ok
    assert len([words for words, _ in calls() if words[:2] == ["image", "inspect"]]) == 2
    [run] = [words for words, _ in calls() if words[0] == "run"]
    assert run[-4].startswith("safepyrun-env:")


def test_no_more_than_pool_size_at_once_and_no_endless_wait(stand_in):
    stand_in()
    engine = ContainerEngine(image="i", pool_size=1, acquire_timeout_seconds=0.2)
    pool = engine._pool(256)
    held = pool.acquire(1)
    assert "no container was free" in run_code("1", engine=engine).error
    threading.Timer(0.05, pool.release, (held, True)).start()
    assert pool.acquire(5) is held
    pool.release(held, False)
