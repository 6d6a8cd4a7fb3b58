"""ContainerEngine in a real engine: skipped, with the reason, where there is none that can run."""

import subprocess
import uuid

import pytest
from guard_client import BUILD
from safepyrun import ContainerEngine, RunnerPolicy, run_code


@pytest.fixture
def make(engine_command):
    command, options, image = engine_command
    made = []

    def make(**keywords):
        made.append(ContainerEngine(image=image, command=command, run_options=options, **keywords))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def names(engine):
    return {container.name for container in engine.list_containers()}


def test_a_run_is_answered_from_a_container(make):
    done = run_code("print('out')\nresult = x + 1", engine=make(), input_data={"x": 1})
    assert (done.ok, done.result, done.stdout, done.error) == (True, 2, "out\n", None)


def test_the_policy_holds_inside_too(make):
    refused = run_code("import os\nos.unlink('/etc/passwd')", engine=make(), policy=RunnerPolicy(blocked_imports=[]))
    assert not refused.ok and "safepyrun refused" in refused.error and refused.denials


def test_a_container_is_used_again_until_it_has_had_its_runs(make):
    engine = make(pool_size=1, max_runs=2)
    before = names(engine)
    used = []
    for _ in range(3):
        assert run_code("1", engine=engine).ok
        used.append(names(engine) - before)
    assert len(used[0]) == 1 and used[1] == set() and len(used[2]) == 1 and used[2] != used[0]


def test_a_container_ends_when_its_time_is_over(make):
    engine = make(pool_size=1, ttl_seconds=0.01)
    before = names(engine)
    assert run_code("1", engine=engine).ok
    assert names(engine) == before


def test_what_a_run_wrote_is_gone_before_the_next(make):
    engine = make(pool_size=1)
    policy = RunnerPolicy(blocked_imports=[], blocked_builtins=[])
    policy = {**policy.as_dict(), "ok_dests": ["/tmp"]}

    def run(code):
        from safepyrun import ExecutionRequest
        return engine.execute(ExecutionRequest({"code": code, "input_data": {}, "policy": policy}, 10))
    assert '"ok": true' in run("open('/tmp/left', 'w').close()").stdout
    assert "FileNotFoundError" in run("open('/tmp/left')").stdout


def test_a_run_out_of_time_is_told_and_the_next_one_works(make):
    engine = make(pool_size=1)
    late = run_code("while True: pass", engine=engine, policy=RunnerPolicy(timeout_seconds=1))
    assert late.timed_out and not late.ok
    assert run_code("1", engine=engine).ok


def test_one_that_takes_too_much_memory_is_told(make):
    greedy = run_code("x = bytearray(10 ** 9)", engine=make(), policy=RunnerPolicy(memory_limit_mb=128))
    assert not greedy.ok and greedy.resource_exceeded


@pytest.fixture
def stranger(engine_command):
    """A container of somebody else."""
    command, options, image = engine_command
    name = f"stranger-{uuid.uuid4().hex[:8]}"
    subprocess.run([*command, "run", "-d", "--name", name, "--network", "none", *options, image, "sleep", "infinity"],
                   check=True, capture_output=True)
    yield name
    for words in (["kill", name], ["rm", "-f", name]):
        subprocess.run([*command, *words], capture_output=True)


def is_running(command, name):
    done = subprocess.run([*command, "inspect", "-f", "{{.State.Running}}", name], capture_output=True, text=True)
    return done.stdout.strip() == "true"


def test_only_containers_of_safepyrun_are_listed_and_ended(make, stranger, engine_command):
    engine = make(pool_size=1)
    before = names(engine)
    assert run_code("1", engine=engine).ok
    [own] = names(engine) - before
    assert stranger not in names(engine)
    for end in (engine.stop_container, engine.kill_container):
        with pytest.raises(ValueError, match="not managed"):
            end(stranger)
    engine.kill_container(own)
    assert own not in names(engine)
    assert engine.cleanup_stale().removed_containers >= 1
    assert is_running(engine_command[0], stranger)


def test_the_program_lists_kills_and_cleans_up(make, stranger, engine_command):
    engine = make(pool_size=1)
    assert run_code("1", engine=engine).ok

    def program(*words):
        return subprocess.run([BUILD / "bin/safepyrun", "containers", "--command", " ".join(engine_command[0]), *words],
                              capture_output=True, text=True, timeout=60)
    own = next(iter(names(engine)))
    assert own in program("list").stdout and stranger not in program("list", "-a").stdout
    refused = program("kill", stranger)
    assert refused.returncode == 1 and refused.stderr.startswith("Error: ")
    assert program("kill", own).returncode == 0
    assert own not in program("list").stdout and own in program("list", "--all").stdout
    assert "removed: " in program("cleanup").stdout
    assert own not in program("list", "--all").stdout
