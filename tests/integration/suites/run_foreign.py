"""Runs the over-the-wire tests of ipykernel and nbclient against this kernel, from their source distributions.

    run_foreign.py SUITE CACHE REPORT [PYTEST ARGUMENT...]

SUITE is a file name in this folder without its ending: SUITE.tests names the package, the test modules and the
tests that cannot apply to a guarded kernel, each with its reason. The source distribution is fetched into
CACHE once. A kernelspec `python3` that starts this kernel comes first on Jupyter's path, since that is the
name these suites start.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import kernelspecs  # noqa: E402
from inapplicable import read_suite  # noqa: E402

# These suites were written for a Python without a guard: their cells define functions and write temporary
# files. What is allowed here is what a user would allow for them, everything else stays guarded.
POLICY = """\
ban_defs = false
ok_dests = [".", "{temporary}"]
"""


def source_of(package, cache):
    """The unpacked source distribution of the installed version."""
    name = f"{package}-{version(package)}"
    if not (cache / name).is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
                   "--no-build-isolation", "--no-binary", package, "-d", cache, f"{package}=={version(package)}"]
        subprocess.run(list(map(str, command)), check=True)
        shutil.unpack_archive(cache / f"{name}.tar.gz", cache)
    return cache / name


def main(suite, cache, report, *arguments):
    described = read_suite(HERE / f"{suite}.tests")
    source = source_of(described.package, Path(cache))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as prefix:     # a kernel may still write there
        policy = Path(prefix, "policy.toml")
        temporary = Path(prefix, "temporary")
        temporary.mkdir()
        policy.write_text(POLICY.format(temporary=temporary))
        kernelspecs.install(prefix, "--name", "python3", "--shell", "ipython", "--policy", policy)
        environment = os.environ | kernelspecs.environment(prefix)
        environment |= {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parent / "support", source)))}
        environment |= {"FOREIGN_SUITE": str(HERE / f"{suite}.tests"), "TMPDIR": str(temporary)}
        command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", "-p", "inapplicable",
                   "-c", HERE / "foreign.ini", "--rootdir", source, "--junit-xml", report, *arguments,
                   *(source / module for module in described.modules)]
        return subprocess.run(list(map(str, command)), cwd=source, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
