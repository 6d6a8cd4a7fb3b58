"""Jupyter as users run it: the kernelspec `safepyrun` (IPython when there is), `safepyrun-plain`, and
`safepyrun-asks`, whose policy says on_deny = "ask"."""

import os
import subprocess
import sys

import kernelspecs
import pytest


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """The environment in which all of Jupyter's programs find our kernels."""
    prefix = tmp_path_factory.mktemp("jupyter")
    kernelspecs.install(prefix)
    kernelspecs.install(prefix, "--name", "safepyrun-plain", "--shell", "plain")
    asks = prefix / "asks.toml"
    asks.write_text('on_deny = "ask"\n')
    kernelspecs.install(prefix, "--name", "safepyrun-asks", "--policy", asks)
    return os.environ | kernelspecs.environment(prefix)


@pytest.fixture
def run_jupyter(jupyter, tmp_path):
    """A Jupyter program in a directory of the test's own; fails with its output."""

    def run(module, *arguments, check=True):
        done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=tmp_path, env=jupyter,
                              capture_output=True, text=True, timeout=100)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run
