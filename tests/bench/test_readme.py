"""The README's figures are those of the recorded run, which compares ours with every peer."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import charts  # noqa: E402
import fit  # noqa: E402
import guards as guards_module  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402

README = HERE.parents[1] / "README.md"


def test_readme_shows_the_recorded_run():
    text = README.read_text()
    assert report.with_tables(text, report.load()) == text, "run tests/bench/readme_table"


def test_recorded_run_has_every_kernel_in_every_row():
    results = report.load()
    known = {peer.name: peer.newer for peer in peers.PEERS}
    assert list(results["peers"]) == [name for name in known if name in results["peers"]]
    assert {name for name, newer in known.items() if not newer} <= set(results["peers"])
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
    known = [guard.name for guard in guards_module.GUARDS]
    assert list(guards["guards"]) == [name for name in known if name in guards["guards"]]
    assert {guard.name for guard in guards_module.GUARDS if guard.ours} <= set(guards["guards"])
    for row in guards["rows"]:
        assert set(row["cells"]) == set(guards["guards"]), row["key"]


@pytest.mark.parametrize("name", [guard.name for guard in guards_module.GUARDS if guard.ours])
def test_our_guard_has_a_figure_in_every_row(name):
    missing = [row["key"] for row in report.load()["guards"]["rows"] if "median" not in row["cells"][name]]
    assert not missing


@pytest.mark.parametrize("name", report.SECTIONS)
def test_our_columns_of_further_tables_have_a_figure_in_every_row(name):
    section = report.load().get(name)
    if section is None:
        pytest.skip("not recorded yet")
    ours = [column for column in section["columns"] if column != "ipykernel"]
    cells = {(row["key"], column): row["cells"][column] for row in section["rows"] for column in ours}
    # Where there are no copies none can take over.
    assert not [place for place, cell in cells.items() if "median" not in cell and cell.get("reason") != "no copies"]


def test_pictures_show_the_recorded_run():
    assert charts.stale(report.load()) == [], "run tests/bench/draw_charts"


def test_slopes_are_those_of_the_points():
    curves = report.load().get("growth", {}).get("curves", {})
    for curve in curves.values():
        assert curve["slope"] == fit.slope(curve["points"])
    assert fit.slope([(1, 2), (10, 20), (100, 200)]) == 1
    assert fit.slope([(1, 5), (1000, 5)]) == 0
    assert fit.slope([(1, 5)]) is None
