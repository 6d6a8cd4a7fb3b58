"""A world for each user: root, where the tests run as root, and an ordinary one."""

import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from world import NOBODY, World  # noqa: E402

USERS = ["root", "ordinary"]


@pytest.fixture(scope="session", params=USERS)
def world(request):
    is_root = os.getuid() == 0
    if request.param == "root" and not is_root:
        pytest.skip("the tests do not run as root")
    if request.param == "ordinary" and is_root and shutil.which("setpriv") is None:
        pytest.skip("no setpriv here, to become an ordinary user")
    user = 0 if request.param == "root" else NOBODY if is_root else os.getuid()
    world = World(user)
    yield world
    world.close()
