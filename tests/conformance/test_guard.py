"""Rows that are about the guard around a cell, not about one cell: tracebacks, policy files, the end of the process."""

import builtins
import json
import re
import subprocess
import sys

import pytest
from guard_client import ROOT, GuardDied

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def traceback_of(outcome):
    [error] = outcome.all("ERROR")
    return COLOURS.sub("", "\n".join(error["traceback"]))


def test_c012_tracebacks_show_the_source_of_every_cell_on_the_way(guard):
    assert guard.execute("inverse = lambda x: 1 / x  # an early cell").error is None
    text = traceback_of(guard.execute("inverse(0)  # a late cell"))
    assert "# an early cell" in text
    assert "# a late cell" in text


def test_c023_all_built_ins_are_there(guard):
    shown = guard.execute("import builtins, json; print(json.dumps(sorted(dir(builtins))))").stdout
    # IPython's exit and quit are names of the session instead
    assert set(dir(builtins)) - set(json.loads(shown)) <= {"exit", "quit"}


@pytest.mark.parametrize("cell", ["import os; os.unlink('/foo/bar')", "open('/etc/passwd', 'a')",
                                  "import shutil; shutil.rmtree('/foo/bar')"])
def test_c025_f13_tracebacks_begin_at_the_cell_and_show_nothing_of_the_guard(guard, cell):
    text = traceback_of(guard.execute(cell))
    assert cell in text
    assert "safepyrun/" not in text
    first_place = re.search(r'File "?([^",:\n]+)|Cell In', text)
    assert first_place[0].startswith(('File "<cell', "Cell In")), text


def test_c024_c025_the_traceback_of_a_wrapped_refusal_leads_from_the_cell_to_it(guard):
    outcome = guard.execute("import host_library  # wraps\nhost_library.wrap_a_refusal()")
    assert outcome.error == "PermissionError"
    text = traceback_of(outcome)
    assert "host_library.wrap_a_refusal()" in text
    assert "WrappedError" not in text


def test_c025_a_refusal_before_the_run_shows_nothing_of_the_guard_either(guard):
    assert "safepyrun/" not in traceback_of(guard.execute("def f(): pass"))


BROKEN_POLICIES = {
    "not TOML": "ok_dests = [",
    "unknown key": 'ok_dest = ["."]',
    "wrong type": 'ban_defs = "no"',
    "wrong value": 'preset = "wide-open"',
    "code instead of data": "import os",
}


@pytest.mark.parametrize("shell", ["plain", "ipython"])
@pytest.mark.parametrize("policy", BROKEN_POLICIES.values(), ids=BROKEN_POLICIES)
def test_c040_an_error_in_the_settings_is_told_and_never_makes_the_policy_wider(place, shell, policy):
    with pytest.raises(GuardDied, match="policy.toml"):
        with place.start(shell, policy):
            pass


def test_s01_a_crash_ends_the_guard_and_nobody_else(guard):
    with pytest.raises(GuardDied) as told:
        guard.execute("import os; os._exit(3)")
    assert told.value.args[0] == 3


def test_s12_a_shell_that_does_not_exist_is_no_other_shell(place):
    with pytest.raises(GuardDied, match="no shell 'docker'"):
        with place.start("docker"):
            pass


def test_s12_nor_is_one_that_is_not_installed(place):
    isolated = [sys.executable, "-S", "-c", "import IPython"]
    assert subprocess.run(isolated, capture_output=True).returncode != 0
    with pytest.raises(GuardDied, match="IPython"):
        with place.start("ipython", embedded=True):
            pass


def test_s13_packages_are_pinned():
    lines = [line for path in (ROOT / "tests/requirements.txt", ROOT / "notebooks/requirements.txt")
             for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    assert lines
    assert [line for line in lines if "==" not in line] == []


DAMAGE = """
import sys
for module in [module for name, module in sys.modules.items() if name.startswith("safepyrun")]:
    for name in [name for name in vars(module) if not name.startswith("__")]:
        delattr(module, name)
"""


def test_e03_whoever_takes_the_shells_own_modules_apart_harms_the_session_only(guard, place):
    guard.execute(DAMAGE)
    outcome = guard.execute(f"import os; os.remove({str(place.outside / 'victim')!r})")
    assert outcome.reply["status"] == "error"
    assert "safepyrun" in outcome.reply["evalue"]


def test_e04_an_endless_cell_can_be_interrupted_and_the_guard_holds_afterwards(guard, place):
    cell = guard.start("print('begun')\nwhile True: pass")
    assert guard.receive().name == "STDOUT"
    guard.interrupt()
    assert guard.collect(cell).error == "KeyboardInterrupt"
    assert guard.execute(f"import os; os.remove({str(place.outside / 'victim')!r})").error == "PermissionError"
