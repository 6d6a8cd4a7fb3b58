"""One guard a case, with a folder that may be written, one that may not, and a library of the host's."""

import os
import pathlib
import sys

import pytest
from guard_client import Guard

# A config.py of whoever runs the tests would change the defaults that they are about.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

LIBRARY = pathlib.Path(__file__).parent / "library"


class Place:
    """Where a case runs: `here` is the working directory; only a policy opens `allowed`; nothing opens `outside`."""

    def __init__(self, folder):
        self.names = {name: folder / name for name in ("here", "allowed", "outside")}
        for path in self.names.values():
            path.mkdir()
        self.outside = self.names["outside"]
        (self.outside / "victim").write_text("as it was\n")
        self.before = self._look()

    def _look(self):
        return {path.name: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes())
                for path in self.outside.iterdir()}

    def is_untouched(self):
        return self._look() == self.before

    def fill_in(self, text):
        for name, path in self.names.items():
            text = text.replace(f"${name}", str(path))
        return text

    def start(self, shell="plain", policy="", embedded=False):
        here = self.names["here"]
        environment = {"HOME": str(here), "IPYTHONDIR": str(self.names["allowed"]), "MPLBACKEND": "agg",
                       "MPLCONFIGDIR": str(self.names["allowed"]), "PYTHONPATH": str(LIBRARY)}
        return Guard(shell, python=None if embedded else sys.executable, cwd=here, environment=environment,
                     policy_file=self.fill_in(policy))


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    assert place.is_untouched(), "something outside of the write roots has changed"


@pytest.fixture(params=["plain", "ipython"])
def guard(request, place):
    """An armed guard with the default policy, in each shell."""
    with place.start(request.param) as running:
        yield running
