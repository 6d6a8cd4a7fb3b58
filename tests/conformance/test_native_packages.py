"""Rows F15, F36 and F40 with the native functions of installed packages, under the Python that runs the tests."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest
from guard_client import LIBRARY

HERE = pathlib.Path(__file__).resolve().parent
FILE = HERE / "library/native_packages.py"
RUNNER = HERE.parent / "support/host_cases.py"


@pytest.mark.skipif(not importlib.util.find_spec("lxml"), reason="its packages are installed for part pythons (requirements-pythons.txt)")
@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring is of Python 3.12 and later")
def test_native_packages():
    done = subprocess.run([sys.executable, "-P", RUNNER, LIBRARY, FILE], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent", "MPLCONFIGDIR": str()})
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert len(outcomes) > 5
    assert {name: text for name, (status, text) in outcomes.items() if status != "passed"} == {}
