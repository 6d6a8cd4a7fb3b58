"""Jupyter's own clients find our kernelspecs, one for each shell, and work in a directory of their own."""

import os

import kernelspecs
import pytest


@pytest.fixture(scope="session", autouse=True)
def jupyter(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("jupyter")
    for shell in ("plain", "ipython"):
        kernelspecs.install(prefix, "--name", f"safepyrun-{shell}", "--shell", shell)
    before, here = dict(os.environ), os.getcwd()
    os.environ.update(kernelspecs.environment(prefix))
    os.chdir(prefix)
    yield prefix
    os.chdir(here)
    os.environ.clear()
    os.environ.update(before)
