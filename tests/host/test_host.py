"""The guard inside a host program: each function of cases/*.py, under every Python that is found."""

import ast
import functools
import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from guard_client import LIBRARY  # noqa: E402
from pythons import PYTHONS  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
RUNNER = HERE.parent / "support/host_cases.py"
FILES = sorted((HERE / "cases").glob("*.py"))


def functions_of(file):
    return [node.name for node in ast.parse(file.read_text()).body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")]


@functools.cache
def outcomes(version, file):
    done = subprocess.run([PYTHONS[version], "-P", RUNNER, LIBRARY, file], capture_output=True, text=True, timeout=240,
                          env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


CASES = [pytest.param(version, file, name, id=f"{version}-{file.stem}-{name.removeprefix('test_')}")
         for version in PYTHONS for file in FILES for name in functions_of(file)]


@pytest.mark.parametrize("version, file, name", CASES)
def test_host(version, file, name):
    results, errors = outcomes(version, file)
    status, text = results[name]
    if status == "skipped":
        pytest.skip(text)
    assert status == "passed", text + errors
