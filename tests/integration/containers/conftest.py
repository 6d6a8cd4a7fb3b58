"""A real engine where one can run: docker, or podman as root, with an image made of this machine's own files.

No registry is asked: the image holds the Python of the system, the programs that the engine needs and the build that
is tested.
"""

import functools
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from guard_client import BUILD, LIBRARY  # noqa: E402

sys.path.insert(0, str(LIBRARY))

IMAGE = "localhost/safepyrun-under-test:1"
#: podman inside of a container or a small machine may not raise limits, and knows no hybrid cgroups with crun
PODMAN = (["podman", "--runtime", "runc"], ["--ulimit", "nofile=1024:2048", "--ulimit", "nproc=1000:2000"])
DOCKER = (["docker"], [])
PROGRAMS = ("sh", "sleep", "find", "true", "python3")


def _quiet(*words):
    try:
        return subprocess.run(words, capture_output=True, timeout=120).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def find_engine():
    """(command, options of its run), or None with the reason in find_engine.reason."""
    reasons = []
    for command, options in (DOCKER, PODMAN):
        if shutil.which(command[0]) is None:
            reasons.append(f"{command[0]} is not installed")
        elif not _quiet(*command, "info"):
            reasons.append(f"the engine of {command[0]} cannot be reached")
        elif not _make_image(command):
            reasons.append(f"{command[0]} cannot import an image")
        elif not _quiet(*command, "run", "--rm", "--network", "none", *options, IMAGE, "true"):
            reasons.append(f"{command[0]} cannot run a container here")
        else:
            return command, options, None
    return None, None, "; ".join(reasons)


def _libraries(paths):
    listed = subprocess.run(["ldd", *map(str, paths)], capture_output=True, text=True).stdout
    return {word for word in listed.split() if word.startswith("/") and not word.endswith(":")}


def _files():
    """(name in the image, path here)"""
    library = pathlib.Path("/usr/lib/python3.11")
    programs = [pathlib.Path(found) for name in PROGRAMS if (found := shutil.which(name, path="/usr/bin:/bin"))]
    modules = list(library.glob("lib-dynload/*.so"))
    ours = [BUILD / "bin/safepyrun", LIBRARY / "safepyrun-guard"]
    for path in (*programs, *_libraries([*programs, *modules, *ours])):
        yield str(path), pathlib.Path(path).resolve()
    yield str(library), library
    yield "/usr/local/bin/safepyrun", ours[0]
    yield "/usr/local/lib/safepyrun", LIBRARY


def _make_image(command):
    importing = subprocess.Popen([*command, "import", "-", IMAGE], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
    with tarfile.open(fileobj=importing.stdin, mode="w|") as tar:
        for folder in ("tmp", "var/tmp", "proc", "sys", "dev", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder.endswith("tmp") else 0o755
            tar.addfile(entry)
        for name, path in _files():
            tar.add(path, name.lstrip("/"), filter=lambda entry: None if entry.name.endswith("/test") else entry)
    importing.stdin.close()
    return importing.wait(120) == 0


@pytest.fixture(scope="session")
def engine_command():
    command, options, reason = find_engine()
    if command is None:
        pytest.skip(reason)
    yield command, options, IMAGE
    _quiet(*command, "image", "rm", "-f", IMAGE)
