"""Fixtures for tests of the guard process alone: a guard of each host, and one per test where it matters."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from guard_client import OPEN, Guard  # noqa: E402

# None: the embedded host; a path: the module, loaded by that Python.
HOSTS = {"embedded": None, "module": sys.executable}


@pytest.fixture(scope="module", params=HOSTS)
def host(request):
    return HOSTS[request.param]


@pytest.fixture(scope="module")
def guard(host):
    """Shared by the tests of a file: they leave it as they found it."""
    with Guard(python=host, policy_file=OPEN) as running:
        yield running


@pytest.fixture
def fresh():
    """A guard of the test's own, for what changes or ends the process."""
    with Guard(policy_file=OPEN) as running:
        yield running
