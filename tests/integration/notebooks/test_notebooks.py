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
    kernelspecs.install_for_notebooks(prefix)
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


@pytest.mark.parametrize("notebook, files", [("policy", ["policy.toml", "tools.py"]), ("isolation", ["isolation.toml"])])
def test_files_that_a_notebook_quotes_are_as_they_are(notebook, files):
    cells = nbformat.read(PROJECT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for name in files:
        assert (PROJECT / "notebooks" / name).read_text().strip() in words, name


def test_the_assistant_is_refused_and_does_better(jupyter, tmp_path):
    executed = execute(PROJECT / "notebooks" / "assistant.ipynb", tmp_path)
    printed = "".join(output.get("text", "") for cell in executed.cells for output in cell.get("outputs", []))
    assert printed.count("refused to ") == 3 and printed.count("done: ") == 3
    assert (tmp_path / "heaviest.csv").read_text() == "species,body_mass_g\nGentoo,5092.0\n"
