"""Random programs in guarded processes: nothing outside of the write roots changes, and the guard's own C code does not crash.

A program that has an effect is shown with its seed; `SAFEPYRUN_FUZZ_SEED=N` runs that one alone. SAFEPYRUN_FUZZ_SECONDS (20)
is how long the search goes on, from a seed that is the same every time unless SAFEPYRUN_FUZZ_START says another.

A process that ends is a finding when a signal ended it, other than those that a program may bring about by itself: memory
that the limits give, a stack that is used up and native code that was given nonsense belong to the process, not the guard.
"""

import itertools
import os
import signal
import time

import pytest
from guard_client import OPEN, Guard, GuardDied
from programs import FIND, HARMLESS, SETTING, Maker
from surroundings import Surroundings

SECONDS = float(os.environ.get("SAFEPYRUN_FUZZ_SECONDS", 20))
START = int(os.environ.get("SAFEPYRUN_FUZZ_START", 1))
LINES = 40
TIMEOUT_SECONDS = 5
POLICY = 'os_ring = "off"\nban_defs = false\nban_imports = []\ndeny_read = ["{secret}"]\n'
CRASHES = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE, -signal.SIGABRT}


def run_program(guard, program):
    """What it says. It may end the process, or take too long."""
    try:
        outcome = guard.execute(program, TIMEOUT_SECONDS)
    except (AssertionError, GuardDied, TimeoutError, ConnectionError):
        return ""
    return outcome.stdout + str(outcome.result)


def run(maker, surroundings, policy=POLICY):
    """Findings as texts; the program."""
    work, found = surroundings.work, []
    program = maker.program(LINES)
    guard = Guard(cwd=work, policy_file=policy.format(secret=surroundings.private), environment={"HOME": str(work), "TMPDIR": str(work)})
    output = ""
    try:
        guard.wait_ready()
        names = surroundings.names
        first = guard.execute(f"{', '.join(names)} = {tuple(names.values())!r}\n{SETTING}\n{FIND}")
        assert first.error is None, first.reply
        output = run_program(guard, program)
        found += surroundings.look_at(guard.process.pid)
    finally:
        output += guard.pipe_text()
        guard.close()
    if guard.process.returncode in CRASHES:
        found.append(f"ended by signal {-guard.process.returncode}")
    return found + surroundings.changes(output), program


@pytest.mark.timeout(SECONDS + 120)
def test_random_programs_reach_nothing(tmp_path):
    one = os.environ.get("SAFEPYRUN_FUZZ_SEED")
    seeds = [int(one)] if one else itertools.count(START)
    end = time.monotonic() + SECONDS
    for seed in seeds:
        if time.monotonic() > end:
            break
        surroundings = Surroundings(tmp_path / str(seed))
        try:
            found, program = run(Maker(seed), surroundings)
        finally:
            surroundings.close()
        assert found == [], f"seed {seed}: {found}\n{program}"
    assert seed > START or one, "not one program in all this time"


def test_the_search_finds_what_nobody_guards(tmp_path):
    """Programs of a few functions that are harmless enough to be run without a guard have effects soon."""
    for seed in range(1, 11):
        surroundings = Surroundings(tmp_path / str(seed))
        try:
            if run(Maker(seed, HARMLESS), surroundings, OPEN)[0]:
                return
        finally:
            surroundings.close()
    pytest.fail("ten programs without an effect")
