"""A batch of notebooks over Dask: papermill in the worker processes of a cluster, a kernel for each notebook."""

import os

import kernelspecs
import nbformat
import papermill
import pytest
from dask.distributed import Client, LocalCluster
from nbformat.v4 import new_code_cell, new_notebook

NOTEBOOKS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    kernelspecs.install(folder, "--name", "plain", "--shell", "plain")
    parameters = new_code_cell("number = 0", metadata={"tags": ["parameters"]})
    cells = [parameters, new_code_cell("squares = [n * n for n in range(number)]\n1 / (number - 7)"),
             new_code_cell("open(f'{number}.txt', 'w').write(str(sum(squares)))"), new_code_cell("print(sum(squares))")]
    metadata = {"kernelspec": {"name": "plain", "display_name": "plain", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "book.ipynb")
    return folder


@pytest.fixture(scope="module")
def cluster(folder):
    environment = kernelspecs.environment(folder)
    kept = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)      # for the workers, which are started with it
    try:
        with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
                          local_directory=str(folder / "dask")) as cluster, Client(cluster) as client:
            yield client
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def run(folder, number):
    """In a worker: the last output, or the error's name."""
    done = folder / f"done-{number}.ipynb"
    try:
        papermill.execute_notebook(str(folder / "book.ipynb"), str(done), {"number": number}, cwd=str(folder), progress_bar=False)
    except papermill.PapermillExecutionError as error:
        return error.ename
    return nbformat.read(done, as_version=4).cells[-1].outputs[0].text


def test_many_notebooks(cluster, folder):
    """One of them fails; the others are right, each in a kernel of its own."""
    answers = cluster.gather([cluster.submit(run, folder, number, pure=False) for number in range(NOTEBOOKS)])
    expected = [f"{sum(n * n for n in range(number))}\n" for number in range(NOTEBOOKS)]
    expected[7] = "ZeroDivisionError"
    assert answers == expected
    assert len(list(folder.glob("*.txt"))) == NOTEBOOKS - 1
