"""The rows of tests/cases/*.toml: what the guarded Pythons before this one promised, one case a row.

    [[case]]
    row = "C013"                     the row; `C013-empty` when it has more than one case
    what = "…"                       what it shows
    shells = ["plain", "ipython"]    what the head of the file says when left out, or both
    policy = 'ban_defs = false'      the text of a policy file; the kernel's default when left out
    cell = "…"  or  cells = ["…"]    the last one is judged, those before it have to end well

and what has to happen, all that is given:

    result   the value as it is shown (result_ipython where IPython shows it in another way)
    prints   standard output, all of it         stderr     part of standard error
    refused  part of the PermissionError        error      the name of another exception
    Without refused and error the cell ends well.

`$here`, `$allowed` and `$outside` are the folders of conftest.py; `host_library` is library/host_library.py.
"""

import pathlib
import tomllib

import pytest

CASES = pathlib.Path(__file__).resolve().parents[1] / "cases"
BOTH = ["plain", "ipython"]
TIMEOUT_SECONDS = 30


def load():
    for path in sorted(CASES.glob("*.toml")):
        table = tomllib.loads(path.read_text())
        for case in table["case"]:
            for shell in case.get("shells", table.get("shells", BOTH)):
                yield pytest.param(case, shell, id=f"{case['row']}-{shell}")


def check_end(case, outcome, place):
    if "refused" in case:
        assert outcome.error == "PermissionError", (outcome.reply, outcome.result, outcome.stdout, outcome.stderr)
        assert "safepyrun refused to" in outcome.reply["evalue"]
        assert place.fill_in(case["refused"]) in outcome.reply["evalue"]
        return
    assert outcome.error == case.get("error"), (outcome.reply, outcome.result, outcome.stdout, outcome.stderr)


def check_output(case, shell, outcome):
    result = case.get(f"result_{shell}", case.get("result"))
    if result is not None:
        assert outcome.result == result
    if "prints" in case:
        assert outcome.stdout == case["prints"]
    assert case.get("stderr", "") in outcome.stderr


@pytest.mark.parametrize("case, shell", list(load()))
def test_row(case, shell, place):
    cells = [place.fill_in(cell) for cell in case.get("cells") or [case["cell"]]]
    with place.start(shell, case.get("policy", "")) as guard:
        for cell in cells[:-1]:
            before = guard.execute(cell, TIMEOUT_SECONDS)
            assert before.error is None, before.reply
        outcome = guard.execute(cells[-1], TIMEOUT_SECONDS)
        check_end(case, outcome, place)
        check_output(case, shell, outcome)


def test_every_row_has_one_name():
    names = [parameter.id for parameter in load()]
    assert len(names) == len(set(names))
