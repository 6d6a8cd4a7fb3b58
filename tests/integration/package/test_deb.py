"""`cpack -G DEB`: the Debian package, made of the build that is tested, unpacked and looked at."""

import json
import shutil

import pytest
from commands import run
from guard_client import BUILD

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="not a Debian: there is no dpkg-deb")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", folder)
    [package] = folder.glob("safepyrun-kernel_*.deb")
    return package


def test_it_depends_on_what_the_programs_are_linked_with(package):
    depends = run("dpkg-deb", "--field", package, "Depends")
    assert all(name in depends for name in ("python3", "libzmq5", "libjansson4", "libsqlite3-0", "libssl3"))


def test_the_kernelspec_names_the_place_where_it_will_be(package, tmp_path):
    run("dpkg-deb", "-x", package, tmp_path)
    spec = json.loads((tmp_path / "usr/share/jupyter/kernels/safepyrun/kernel.json").read_text())
    assert spec["argv"][0] == "/usr/bin/safepyrun"


def test_what_is_unpacked_runs_from_any_place(package, tmp_path):
    run("dpkg-deb", "-x", package, tmp_path)
    assert 'preset = "workspace"' in run(tmp_path / "usr/bin/safepyrun", "policy", "show", cwd=tmp_path)
