"""The Pythons of this machine that the guard serves: the one of the tests, those on PATH, and pyenv's.

SAFEPYRUN_PYTHONS, a list with ":" between the paths, takes the place of the search.
"""

import functools
import glob
import os
import pathlib
import shutil
import subprocess
import sys

OLDEST = (3, 11)
QUESTION = """import sys, sysconfig
print(*sys.version_info[:2], bool(sysconfig.get_config_var("Py_GIL_DISABLED")))"""


def _candidates():
    if named := os.environ.get("SAFEPYRUN_PYTHONS"):
        yield from named.split(":")
        return
    yield sys.executable
    for minor in range(OLDEST[1], OLDEST[1] + 10):
        if found := shutil.which(f"python3.{minor}"):
            yield found
    pyenv = os.environ.get("PYENV_ROOT") or str(pathlib.Path.home() / ".pyenv")
    yield from sorted(glob.glob(f"{pyenv}/versions/*/bin/python3"))


def _version(path):
    """(major, minor) of a CPython that can load an abi3 module; None for any other, and for a shim that leads nowhere."""
    try:
        done = subprocess.run([path, "-I", "-c", QUESTION], capture_output=True, text=True, timeout=20)
        major, minor, without_gil = done.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    version = int(major), int(minor)
    return version if version >= OLDEST and without_gil == "False" else None


def all_of_them():
    """Paths, several of one version among them."""
    return [path for path in dict.fromkeys(_candidates()) if _version(path)]


@functools.cache
def pythons():
    """{"3.11": path, …}, one of each version; the first that was found."""
    found = {}
    for path in _candidates():
        if version := _version(path):
            found.setdefault("{}.{}".format(*version), path)
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


PYTHONS = pythons()

if __name__ == "__main__":  # "3.12 /usr/bin/python3.12" for each other than the one that runs this
    for version, path in PYTHONS.items():
        if path != sys.executable:
            print(version, path)
