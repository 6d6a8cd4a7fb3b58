"""`pip install .`: one wheel gives each Python the package, the programs and the kernelspec."""

import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import nbformat
from commands import run
from guard_client import ROOT
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

VERSION = re.search(r"VERSION ([0-9.]+) LANGUAGES", (ROOT / "CMakeLists.txt").read_text())[1]


def test_one_wheel_serves_every_python_and_says_so(wheel):
    assert wheel.name.startswith(f"safepyrun_kernel-{VERSION}-cp311-abi3-linux_")
    names = zipfile.ZipFile(wheel).namelist()
    assert "safepyrun/_guard.abi3.so" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_package_the_module_and_the_program_have_one_version(installed):
    python = installed / "bin/python"
    assert run(python, "-c", "import safepyrun; print(safepyrun.__version__)", cwd="/").strip() == VERSION
    assert run(installed / "bin/safepyrun", "--version").strip() == f"safepyrun {VERSION}"
    assert run(python, "-c", "import importlib.metadata as m; print(m.version('safepyrun-kernel'))").strip() == VERSION


def test_the_policy_is_read_by_this_python(installed, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("ban_defs = 3\n")
    assert 'preset = "workspace"' in run(installed / "bin/safepyrun", "policy", "show", cwd=tmp_path)
    done = subprocess.run([installed / "bin/safepyrun", "policy", "check", wrong], capture_output=True, text=True)
    assert done.returncode == 1 and "ban_defs" in done.stderr


def test_jupyter_finds_the_kernelspec_and_its_program(installed):
    listed = run(sys.executable, "-m", "jupyter", "kernelspec", "list", "--json",
                 env={**os.environ, "JUPYTER_PATH": str(installed / "share/jupyter")})
    found = json.loads(listed)["kernelspecs"]["safepyrun"]
    assert found["resource_dir"] == str(installed / "share/jupyter/kernels/safepyrun")
    program = found["spec"]["argv"][0].replace("{resource_dir}", found["resource_dir"])
    assert os.path.samefile(program, installed / "bin/safepyrun")


def test_a_template_starts_from_it(installed, tmp_path):
    """What it forks with is a program of its own, and in the wheel."""
    program, = installed.glob("lib/python*/site-packages/safepyrun/safepyrun-keeper")
    assert os.access(program, os.X_OK)
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # the path of a socket is short
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": runtime}
        assert "started" in run(installed / "bin/safepyrun", "template", "start", env=environment)
        run(installed / "bin/safepyrun", "template", "stop", env=environment)


def test_other_digests_are_in_it(installed):
    """What needs the whole of OpenSSL is a module beside the programs."""
    module, = installed.glob("lib/python*/site-packages/safepyrun/safepyrun-openssl.so")
    assert ctypes.CDLL(str(module)).safepyrun_openssl


CELLS = ["import sys; print(sys.prefix)", "open('/etc/written-by-a-cell', 'w')"]


def test_a_notebook_runs_in_this_python_under_the_guard(installed, tmp_path, monkeypatch):
    monkeypatch.setattr(KernelSpecManager, "kernel_dirs", [str(installed / "share/jupyter/kernels")])
    monkeypatch.setenv("HOME", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, kernel_name="safepyrun", timeout=60, allow_errors=True,
                   resources={"metadata": {"path": str(tmp_path)}}).execute()
    [printed], refused = notebook.cells[0].outputs, notebook.cells[1].outputs
    assert printed.text.strip() == str(installed)
    assert any(output.get("ename") == "PermissionError" for output in refused)


def test_nothing_of_the_installation_can_be_written_by_a_cell_that_owns_its_folder(installed, tmp_path, monkeypatch):
    """A write root around the virtual environment, as a home folder is: the guard's own files stay as they are."""
    monkeypatch.setattr(KernelSpecManager, "kernel_dirs", [str(installed / "share/jupyter/kernels")])
    monkeypatch.setenv("HOME", str(tmp_path))
    [package] = installed.glob("lib/python3.*/site-packages/safepyrun")
    targets = [package / "__init__.py", package / "new.py", installed / "bin/safepyrun"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"open({str(path)!r}, 'a')")
                                               for path in targets])
    NotebookClient(notebook, kernel_name="safepyrun", timeout=60, allow_errors=True,
                   resources={"metadata": {"path": str(installed.parent)}}).execute()
    for cell in notebook.cells:
        assert [output.get("ename") for output in cell.outputs if output.output_type == "error"] == ["PermissionError"]
    assert not (package / "new.py").exists()
