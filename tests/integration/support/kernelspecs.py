"""Kernelspecs of the build tree for Jupyter's own clients, in a directory of the test's own.

Jupyter is led there by its environment variables, so that neither the user's kernels nor their settings
take part, and a kernelspec may even take the place of `python3`.
"""

import os
import subprocess
import sys
from pathlib import Path

from kernel_process import PROGRAM, PROJECT


def install(prefix, *arguments):
    """`safepyrun install` with the Python that runs the tests."""
    command = [PROGRAM, "install", "--prefix", prefix, "--python", sys.executable, *arguments]
    subprocess.run(list(map(str, command)), check=True, timeout=30)


def install_for_notebooks(prefix):
    """The kernels that notebooks/*.ipynb name, as notebooks/run installs them."""
    install(prefix)
    for name, policy in (("safepyrun-policy", "policy.toml"), ("safepyrun-limits", "isolation.toml")):
        install(prefix, "--name", name, "--policy", PROJECT / "notebooks" / policy)


def environment(prefix):
    """What leads Jupyter and IPython to `prefix`; its kernels come first."""
    prefix = Path(prefix)
    home = prefix / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(prefix / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
