"""Which Pythons the guard of host programs is tested with."""

import os
import shutil
import subprocess
import sys


def _version(python):
    try:
        asked = subprocess.run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                               capture_output=True, text=True, timeout=20)
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def pythons():
    """Version -> program: the one that runs the tests, and all others that are found (or SAFEPYRUN_PYTHONS, by ':')."""
    listed = os.environ.get("SAFEPYRUN_PYTHONS")
    candidates = listed.split(os.pathsep) if listed else [
        sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(11, 15))]
    found = {}
    for program in candidates:
        version = _version(program) if program else None
        if version is not None and version not in found:
            found[version] = program
    return found
