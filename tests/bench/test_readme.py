"""The README's figures are those of the recorded run, which compares ours with every peer."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import guards as guards_module  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402

README = HERE.parents[1] / "README.md"


def test_readme_shows_the_recorded_run():
    text = README.read_text()
    assert report.with_tables(text, report.load()) == text, "run tests/bench/readme_table"


def test_recorded_run_has_every_kernel_in_every_row():
    results = report.load()
    assert list(results["peers"]) == [peer.name for peer in peers.PEERS]
    for row in results["rows"]:
        assert set(row["cells"]) == set(results["peers"]), row["key"]


@pytest.mark.parametrize("name", [peer.name for peer in peers.PEERS if peer.ours])
def test_ours_has_a_figure_in_every_row(name):
    missing = {
        row["key"]: row["cells"][name]["reason"]
        for row in report.load()["rows"]
        if "median" not in row["cells"][name]
    }
    assert not missing


def test_markers_must_be_there():
    with pytest.raises(ValueError):
        report.with_tables("no table here", {"peers": {}, "rows": []})


def test_recorded_run_has_every_guard_in_every_row():
    guards = report.load()["guards"]
    assert list(guards["guards"]) == [guard.name for guard in guards_module.GUARDS]
    for row in guards["rows"]:
        assert set(row["cells"]) == set(guards["guards"]), row["key"]


@pytest.mark.parametrize("name", [guard.name for guard in guards_module.GUARDS if guard.ours])
def test_our_guard_has_a_figure_in_every_row(name):
    missing = [row["key"] for row in report.load()["guards"]["rows"] if "median" not in row["cells"][name]]
    assert not missing
