"""The wheel, built once; a fresh virtual environment of each Python that is there, with nothing but the wheel in it."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from commands import run  # noqa: E402
from guard_client import ROOT  # noqa: E402
from pythons import PYTHONS  # noqa: E402


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    environment = {**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": "2"}
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder,
        f"--config-settings=build-dir={folder / 'build'}", ROOT, env=environment)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session", params=PYTHONS)
def installed(request, wheel, tmp_path_factory):
    """The prefix of a virtual environment."""
    prefix = tmp_path_factory.mktemp(f"python{request.param}") / "venv"
    run(PYTHONS[request.param], "-m", "venv", prefix)
    run(prefix / "bin/pip", "install", "-q", "--no-index", "--no-deps", wheel)
    return prefix
