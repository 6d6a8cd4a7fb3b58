"""What an earlier session left in a write root is not run before the guard of the next one is closed."""

import importlib.util
import os
import py_compile
import subprocess
import sys

import pytest
from guard_client import Guard

#: what the interpreter, `site`, or a library that tries one looks for before it looks anywhere else
PLANTED = ("sitecustomize", "usercustomize", "encodings", "tomllib", "signal", "traceback", "planted")
TRAP = "try: open({mark!r}, 'a').write(__name__ + ' ')\nexcept PermissionError: pass  # a cell, which is guarded\n"


@pytest.fixture
def trap(tmp_path):
    """(folder that is a write root, the names of modules in it that have run)"""
    work, mark = tmp_path / "work", tmp_path / "ran"
    work.mkdir(exist_ok=True)
    for name in PLANTED:
        (work / f"{name}.py").write_text(TRAP.format(mark=str(mark)))
    return work, lambda: mark.read_text().split() if mark.exists() else []


@pytest.fixture
def environment(tmp_path):
    """A virtual environment in a write root."""
    folder = tmp_path / "work" / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def test_pythonpath(host, trap):
    """The kernel process hands PYTHONPATH over under another name."""
    work, ran = trap
    with Guard("auto", python=host, cwd=work, environment={"SAFEPYRUN_PYTHONPATH": f"{work}:/nonexistent"}) as guard:
        assert ran() == []
        outcome = guard.execute("import os, sys, planted; print(os.environ['PYTHONPATH'], sys.path[:3], planted.__file__)")
        assert outcome.stdout == f"{work}:/nonexistent ['', '{work}', '/nonexistent'] {work / 'planted.py'}\n"
        assert guard.execute("'SAFEPYRUN_PYTHONPATH' in os.environ").result == "False"
        shown = guard.execute("1 / 0")  # traceback and linecache are loaded now, in the plain shell
        assert shown.error == "ZeroDivisionError" and "line 1" in str(shown.all("ERROR")[0]["traceback"])


def test_a_folder_outside_of_the_write_roots_is_as_ever(host, trap, tmp_path):
    work, ran = trap
    (tmp_path / "cwd").mkdir()
    (tmp_path / "tools.py").write_text("import planted\n")
    with Guard(python=host, cwd=tmp_path / "cwd", environment={"SAFEPYRUN_PYTHONPATH": str(work)},
               policy_file=f'setup.files = ["{tmp_path}/tools.py"]'):
        assert "planted" in ran()


def test_path_files(environment, trap):
    """As an editable installation leaves them: a folder in a .pth file, and another that imports something."""
    work, ran = trap
    packages, = environment.glob("lib/python*/site-packages")
    (packages / "a.pth").write_text(f"{work}\n")
    (packages / "b.pth").write_text("import planted\n")
    with Guard(python=environment / "bin/python", cwd=work) as guard:
        assert ran() == []
        assert guard.execute("import planted, sys; print(planted.__file__, sys.prefix)").stdout == f"{work / 'planted.py'} {environment}\n"


def test_linked_bytecode(environment, trap):
    """The text of a module is nobody's to change, and what was compiled of it is."""
    work, ran = trap
    packages, = environment.glob("lib/python*/site-packages")
    cache, name = work / "cache", importlib.util.cache_from_source("x.py").split(".")[1]
    cache.mkdir()
    for module in ("__init__", "single"):
        (work / "source.py").write_text(TRAP.format(mark=str(work.parent / "ran")))
        py_compile.compile(work / "source.py", cache / f"{module}.{name}.pyc", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    (packages / "whole").mkdir()
    (packages / "__pycache__").mkdir(exist_ok=True)
    for text in ("whole/__init__.py", "single.py"):
        (packages / text).write_text("harmless = True\n")
    (packages / "whole/__pycache__").symlink_to(cache)
    (packages / f"__pycache__/single.{name}.pyc").symlink_to(cache / f"single.{name}.pyc")
    (packages / "0.pth").write_text("import whole\n")
    (packages / "1.pth").write_text("import single\n")
    with Guard(python=environment / "bin/python", cwd=work):
        assert ran() == []


def test_linked_packages(environment, trap):
    """The third kind of editable installation: a link among the packages."""
    work, ran = trap
    packages, = environment.glob("lib/python*/site-packages")
    mark = str(work.parent / "ran")
    (work / "src").mkdir()
    (work / "src" / "__init__.py").write_text(TRAP.format(mark=mark))
    (work / "src" / "part.py").write_text(TRAP.format(mark=mark))
    (packages / "linked").symlink_to(work / "src")
    (packages / "single.py").symlink_to(work / "planted.py")
    for number, line in enumerate(("import linked", "import linked.part", "import single")):
        (packages / f"{number}.pth").write_text(f"{line}\n")
    with Guard(python=environment / "bin/python", cwd=work) as guard:
        assert ran() == []
        assert guard.execute("import linked.part, single, sys; print(linked.part.__file__)").stdout == f"{packages / 'linked/part.py'}\n"


FINDER = """
import sys
from importlib.util import spec_from_file_location
class Finder:
    def find_spec(name, *more):
        return spec_from_file_location(name, {path!r}) if name == "own" else None
sys.meta_path.insert(0, Finder)
"""


def test_finders(environment, trap, tmp_path):
    """The other kind of editable installation: a finder that knows where a module lies."""
    work, ran = trap
    packages, = environment.glob("lib/python*/site-packages")
    (packages / "a.pth").write_text("import own_finder\n")
    (packages / "own_finder.py").write_text(FINDER.format(path=str(work / "planted.py")))
    (tmp_path / "tools.py").write_text("try: import own\nexcept ModuleNotFoundError: missing = True\n")
    with Guard(python=environment / "bin/python", cwd=work, policy_file=f'setup.files = ["{tmp_path}/tools.py"]') as guard:
        assert ran() == [] and guard.execute("missing").result == "True"
        assert guard.execute("import own; own.__file__").result == repr(str(work / "planted.py"))


def test_tool_processes(host, trap, tmp_path):
    """No guard is ever closed around them."""
    work, ran = trap
    (tmp_path / "tools.py").write_text("from safepyrun import allow\n@allow(outside=True)\ndef late():\n    import planted\n")
    with Guard(python=host, cwd=work, environment={"SAFEPYRUN_PYTHONPATH": str(work)},
               policy_file=f'setup.files = ["{tmp_path}/tools.py"]') as guard:
        assert guard.execute("late()").error == "ModuleNotFoundError"
        assert ran() == []


def test_byte_code(host, trap, tmp_path):
    """PYTHONPYCACHEPREFIX in a write root: what lies there is not taken for a set-up file's module."""
    work, ran = trap
    helpers, cache = tmp_path / "helpers", work / "cache"
    helpers.mkdir()
    (helpers / "helper.py").write_text("kind = 'real'\n")
    compile_it = (f"import sys, os, py_compile, importlib.util as u; sys.pycache_prefix = {str(cache)!r}; path = {str(helpers / 'helper.py')!r}; "
                  "times = os.stat(path); open(path, 'w').write('kind = 666\\n#'); os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns)); "
                  "py_compile.compile(path); open(path, 'w').write(\"kind = 'real'\\n\"); os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))")
    subprocess.run([host or "/usr/bin/python3", "-c", compile_it], check=True)
    (tmp_path / "tools.py").write_text("import helper\nkind = helper.kind\n")
    with Guard(python=host, cwd=work, policy_file=f'setup.files = ["{tmp_path}/tools.py"]',
               environment={"SAFEPYRUN_PYTHONPATH": str(helpers), "SAFEPYRUN_PYTHONPYCACHEPREFIX": str(cache)}) as guard:
        assert guard.execute("kind").result == "'real'"
        assert guard.execute("import sys; sys.pycache_prefix").result == repr(str(cache))


PARTS = ("pyvenv.cfg", "bin/python", "bin/other", "lib/python3.zip", "lib/x.py", "share/jupyter/kernels/x", "etc/jupyter/x.py")


def test_the_environment_in_a_write_root(environment, tmp_path):
    """Whoever changes these has the next start of Python run what he likes."""
    with Guard(python=environment / "bin/python", cwd=tmp_path / "work") as guard:
        for part in PARTS:
            change = f"import os, shutil\nos.makedirs(os.path.dirname('env/{part}'), exist_ok=True)\nopen('env/{part}', 'a')"
            assert guard.execute(change).error == "PermissionError", part
        for change in ("os.remove('env/bin/python')", "os.rename('env/bin', 'env/x')", "os.rename('env', 'x')",
                       "shutil.rmtree('env')", "os.symlink('/tmp', 'env/lib64/x')"):
            assert guard.execute(change).error == "PermissionError", change
        assert guard.execute("open('env/notes.txt', 'w').close()").error is None
    assert os.path.lexists(environment / "bin/python") and (environment / "pyvenv.cfg").exists()
