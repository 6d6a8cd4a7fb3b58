"""Programs that execute notebooks without a person: nbconvert, nbclient, papermill."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

KERNELS = ["safepyrun", "safepyrun-plain"]


@pytest.fixture
def write(tmp_path):
    def write(*cells, name="book.ipynb"):
        notebook = new_notebook(cells=[new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        notebook.metadata.kernelspec = {"name": "safepyrun", "display_name": "Python 3 (safepyrun)", "language": "python"}
        nbformat.write(notebook, tmp_path / name)
        return tmp_path / name

    return write


def outputs(path):
    return [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("kernel", KERNELS)
def test_nbconvert_to_html(run_jupyter, write, tmp_path, kernel):
    write("print('from the cell')", "21 * 2")
    run_jupyter("nbconvert", "--to", "html", "--execute", f"--ExecutePreprocessor.kernel_name={kernel}", "book.ipynb")
    page = (tmp_path / "book.html").read_text()
    assert "from the cell" in page and "42" in page


@pytest.mark.parametrize("kernel", KERNELS)
def test_jupyter_execute(run_jupyter, write, kernel):
    path = write("print('x' * 3)", "import os; os.getcwd()")
    run_jupyter("jupyter", "execute", "--kernel_name", kernel, "--inplace", "book.ipynb")
    first, second = outputs(path)
    assert first.text == "xxx\n"
    assert str(path.parent) in second.data["text/plain"]


def test_an_error_stops_the_notebook(run_jupyter, write):
    path = write("1 / 0", "print('not reached')")
    done = run_jupyter("nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.kernel_name=safepyrun",
                       "book.ipynb", check=False)
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stderr
    assert outputs(path) == []


def test_a_refusal_may_be_expected(run_jupyter, write, tmp_path):
    refused = new_code_cell("import subprocess\nsubprocess.run(['true'])", metadata={"tags": ["raises-exception"]})
    write(refused, "print('went on')")
    run_jupyter("nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.kernel_name=safepyrun",
                "--output", "done.ipynb", "book.ipynb")
    card, error, after = outputs(tmp_path / "done.ipynb")
    assert "Refused: start a program" in card.data["text/html"]
    assert error.ename == "PermissionError"
    assert after.text == "went on\n"


def test_a_time_out_interrupts(run_jupyter, write, tmp_path):
    write("import time\ntime.sleep(60)", "print('went on')")
    run_jupyter("nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--ExecutePreprocessor.timeout=2",
                "--ExecutePreprocessor.interrupt_on_timeout=True", "--ExecutePreprocessor.kernel_name=safepyrun",
                "--output", "done.ipynb", "book.ipynb")
    error, after = outputs(tmp_path / "done.ipynb")
    assert error.ename == "KeyboardInterrupt"
    assert after.text == "went on\n"


@pytest.mark.parametrize("kernel", KERNELS)
def test_papermill_with_parameters(run_jupyter, write, tmp_path, kernel):
    write(new_code_cell("penguins = 1", metadata={"tags": ["parameters"]}), "print(penguins * 2, island)")
    run_jupyter("papermill", "book.ipynb", "done.ipynb", "-k", kernel, "-p", "penguins", "21", "-p", "island", "Dream")
    assert [output.text for output in outputs(tmp_path / "done.ipynb")] == ["42 Dream\n"]


def test_matplotlib_inline(run_jupyter, write, tmp_path):
    write("import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);")
    run_jupyter("nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.kernel_name=safepyrun",
                "--output", "done.ipynb", "book.ipynb")
    assert [list(output.data) for output in outputs(tmp_path / "done.ipynb")] == [["image/png", "text/plain"]]
