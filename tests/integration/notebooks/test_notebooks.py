"""The notebooks that we show to people: what they show is what happens."""

import os

import kernelspecs
import nbformat
import pytest
from kernel_process import PROJECT
from notebook_outputs import essence, execute

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
REFUSALS = 6


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("jupyter")
    kernelspecs.install(prefix)
    before = dict(os.environ)
    os.environ.update(kernelspecs.environment(prefix))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_as_stored(path, jupyter, tmp_path):
    stored = nbformat.read(path, as_version=4)
    executed = execute(path, tmp_path)
    for before, after in zip(stored.cells, executed.cells, strict=True):
        if before.cell_type == "code":
            found = [essence(output) for output in after.outputs]
            assert found == [essence(output) for output in before.outputs], before.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_error_is_there_exactly_where_it_is_announced(path):
    for cell in nbformat.read(path, as_version=4).cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        assert bool(errors) == ("raises-exception" in cell.metadata.get("tags", [])), cell.source


def test_the_tour_shows_what_it_promises():
    cells = nbformat.read(PROJECT / "notebooks" / "tour.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    refusals = [output for output in outputs if output.output_type == "error"]
    assert [output.ename for output in refusals] == ["PermissionError"] * REFUSALS
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2


def test_the_file_was_written_inside_the_write_root(jupyter, tmp_path):
    execute(PROJECT / "notebooks" / "tour.ipynb", tmp_path)
    assert (tmp_path / "output" / "penguins.csv").read_text().startswith("species,birds,")
