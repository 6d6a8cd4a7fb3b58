"""Each mechanism of escape is shown to work where nobody guards, and to do nothing where the guard does.

Three runs of the same cells, each in a process of its own: under the preset "open", under the default policy, and with
the rules for user code switched off, so that the interpreter ring has to hold alone. The OS ring is off everywhere. What
counts is seen from outside (support/surroundings.py); in addition the guard has to have a refusal on record, so that a cell
that fails for another reason proves nothing.

SAFEPYRUN_ATTACK_PYTHON names another Python: the guard is then its module.
"""

import curses
import functools
import importlib.util
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from guard_client import ROOT, Guard, GuardDied
from mechanism import read_all
from pythons import PYTHONS
from surroundings import Surroundings

MECHANISMS = read_all()
HELD_HERE = [mechanism for mechanism in MECHANISMS if not mechanism.only]
TEN_LINES = str(ROOT / "tests/support/ten_lines.py")
TIMEOUT_SECONDS = 20
LATE_SECONDS = 0.3

RING_ALONE = 'os_ring = "off"\n'
DENY_READ = 'deny_read = ["{secret}"]\n'
POLICIES = {"open": 'preset = "open"\n[env]\npass = ["GUARD_TOKEN"]\n',
            "rules": DENY_READ,
            "ring": "ban_defs = false\nban_imports = []\n" + DENY_READ}
PYTHON = os.environ.get("SAFEPYRUN_ATTACK_PYTHON")


@functools.cache
def version_of(python):
    text = subprocess.check_output([python, "-c", "import sys; print(*sys.version_info[:2])"], text=True)
    return tuple(map(int, text.split()))


def find_other_python(version):
    if version not in PYTHONS:
        pytest.skip(f"there is no Python {version} here")
    return PYTHONS[version]


def find_python(mechanism):
    """The Python that the guard runs in; None for the one that it was built with."""
    if PYTHON and mechanism.version > version_of(PYTHON):
        pytest.skip(f"about Python {mechanism.python}")
    if PYTHON:
        return PYTHON
    if mechanism.version > sys.version_info[:2]:
        return find_other_python(mechanism.python)
    return sys.executable if mechanism.shell == "ipython" or mechanism.needs else None


def check_needs(mechanism, python):
    if mechanism.sqlite and sqlite3.sqlite_version_info[:2] > tuple(map(int, mechanism.sqlite.split("."))):
        pytest.skip(f"SQLite does this no longer: {sqlite3.sqlite_version}")
    if mechanism.ncurses and curses.ncurses_version[:2] > tuple(map(int, mechanism.ncurses.split("."))):
        pytest.skip(f"ncurses does this no longer: {'.'.join(map(str, curses.ncurses_version))}")
    if not mechanism.needs and mechanism.shell == "plain":
        return
    if python != sys.executable:
        pytest.skip("the packages are installed for the Python of the tests only")
    for package in mechanism.needs.split():
        if importlib.util.find_spec(package) is None:
            pytest.fail(f"{package} is not installed")


class Run:
    """The cells of one mechanism in one process, and what came of it."""

    def __init__(self, mechanism, surroundings, policy):
        self.output, self.refused, self.ended, self.seen = "", False, False, []
        python = find_python(mechanism)
        check_needs(mechanism, python)
        text = RING_ALONE + POLICIES[policy].format(secret=surroundings.private)
        work = surroundings.work
        guard = Guard(mechanism.shell, python=python, cwd=work, policy_file=text, environment={
            "IPYTHONDIR": str(work / "ipython"), "MPLBACKEND": "agg", "HOME": str(work), "TMPDIR": str(work),
            "MPLCONFIGDIR": str(work), "GUARD_TOKEN": surroundings.token})
        try:
            guard.wait_ready()
            self._run(guard, mechanism, surroundings)
        finally:
            guard.close()
        self.seen += surroundings.wait_for_changes(self.output, 0 if policy != "open" or self.seen else LATE_SECONDS)

    def _note(self, outcome):
        self.refused |= any(name == "DENIAL" for name in outcome.names)
        for frame in outcome.frames:
            shows_the_cell = frame.name in ("ERROR", "REPLY", "DENIAL")  # a traceback quotes what would print ESCAPED
            self.output += str(frame.parts).replace("ESCAPED", "…" if shows_the_cell else "ESCAPED") + "\n"

    def _end(self, guard):
        """What atexit and finalizers say is on record as well."""
        guard.send("SHUTDOWN", 0)
        try:
            while True:
                frame = guard.receive(5)
                self.refused |= frame.name == "DENIAL"
                self.output += str(frame.parts)
        except GuardDied:
            self.output += guard.pipe_text() + "".join(frame.text for frame in guard.late)

    def _run(self, guard, mechanism, surroundings):
        names = surroundings.names
        try:
            self._note(guard.execute(f"{', '.join(names)} = {tuple(names.values())!r}"))
            setting = guard.execute(mechanism.setting)
            assert setting.error is None, setting.reply
            for cell in mechanism.cells:
                self._note(guard.execute(cell, TIMEOUT_SECONDS))
            self.seen += surroundings.look_at(guard.process.pid)
            guard.execute("6 * 7", TIMEOUT_SECONDS)
            self._end(guard)
        except (GuardDied, AssertionError, TimeoutError, ConnectionError, subprocess.TimeoutExpired) as error:
            self.ended = True
            self.output += repr(error)
            surroundings.look_at(guard.process.pid)


def test_there_are_many_and_each_has_a_name_of_its_own():
    names = [mechanism.name for mechanism in MECHANISMS]
    assert len(names) == len(set(names))
    assert len(HELD_HERE) >= 150


@pytest.fixture
def surroundings(tmp_path):
    surroundings = Surroundings(tmp_path)
    yield surroundings
    surroundings.close()


def by_name(mechanisms):
    return pytest.mark.parametrize("mechanism", [pytest.param(one, id=one.name) for one in mechanisms])


@by_name([one for one in MECHANISMS if one.baseline == "open"])
def test_it_works_without_a_guard(mechanism, surroundings):
    run = Run(mechanism, surroundings, "open")
    assert run.seen or (mechanism.effect == "guard" and run.ended), f"no effect\n{run.output}"


def run_under_ten_lines(cells, surroundings):
    names = surroundings.names
    first = f"{', '.join(names)} = {tuple(names.values())!r}"
    subprocess.run([sys.executable, TEN_LINES], input=json.dumps([first, *cells]), text=True, cwd=surroundings.work,
                   capture_output=True, timeout=TIMEOUT_SECONDS)
    return surroundings.changes()


@by_name([one for one in MECHANISMS if one.baseline == "hook"])
def test_it_works_under_ten_lines_of_python(mechanism, surroundings):
    assert run_under_ten_lines(["open(evil, 'w')"], surroundings) == []
    assert run_under_ten_lines([mechanism.setting, *mechanism.cells], surroundings)


@pytest.mark.parametrize("policy", ["rules", "ring"])
@by_name(HELD_HERE)
def test_the_guard_holds(mechanism, policy, surroundings):
    run = Run(mechanism, surroundings, policy)
    assert run.seen == [], f"{run.seen}\n{run.output}"
    assert not run.ended, f"the guard has ended\n{run.output}"
    assert run.refused or mechanism.by, f"nothing is on record\n{run.output}"
