"""mk_audit: what is refused inside, and where inside ends. Numbers are rows of tests/conformance."""

import asyncio
import collections
import contextvars
import dataclasses
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import traceback

from host_tools import refused

from safepyrun import audit_state, mk_audit


def touch(path, text="x"):
    with open(path, "w") as file:
        file.write(text)


def test_f01_f32_attributes_of_functions():
    def f():
        pass

    with mk_audit([])():
        with refused("__code__"):
            f.__code__ = f.__code__
        f.__doc__ = "harmless"
        dataclasses.make_dataclass("D", ["x"])(1)
        collections.namedtuple("N", "a b")(1, 2)
    f.__code__ = f.__code__


def test_f02_to_f11_files(tmp_path):
    inside, outside, dot = tmp_path / "inside", tmp_path / "outside", tmp_path / "dot"
    for folder in (inside, outside, dot, dot / "child"):
        folder.mkdir()
    touch(outside / "there")
    os.chdir(dot)
    with mk_audit([inside, "."])():
        open("/etc/passwd").close()
        os.close(os.open("/etc/passwd", os.O_RDONLY))
        with refused():
            os.open(outside / "new", os.O_WRONLY | os.O_CREAT)
        with refused():
            os.remove(outside / "there")
        shutil.copyfile("/etc/passwd", inside / "copy")
        with refused():
            shutil.copyfile(inside / "copy", outside / "copy")
        with refused():
            os.rename(outside / "there", inside / "there")
        with refused():
            os.rename(inside / "copy", outside / "copy")
        os.remove(inside / "copy")
        with refused("start a program"):
            subprocess.run(["echo", "hi"])
        touch("dot-inside.txt")
        touch("child/nested.txt")
        with refused():
            touch("../sibling.txt")
        with refused():
            os.chdir(tmp_path)
        os.chdir("child")
    assert sorted(os.listdir(outside)) == ["there"]


def test_f13_the_traceback_has_no_guard_frames():
    try:
        with mk_audit([])():
            subprocess.run(["echo", "hi"])
    except PermissionError as error:
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    assert not [file for file in files if "/safepyrun/" in file]


def test_f26_contexts_nest_and_end():
    audit = mk_audit([])
    assert not audit_state()["active"]
    with audit():
        with audit():
            assert audit_state()["active"]
        assert audit_state()["active"]
        with refused():
            touch("x")
    assert not audit_state()["active"]
    touch("x")
    try:
        with audit():
            raise KeyError
    except KeyError:
        touch("x")


async def test_f26_child_tasks_inherit_and_others_do_not():
    async def writes():
        await asyncio.sleep(0.01)
        touch("written")

    before = asyncio.create_task(writes())
    with mk_audit([])():
        inside = asyncio.create_task(writes())
    await before
    with refused():
        await inside


def test_f26_threads_of_the_host_are_not_in_it():
    done, go = [], threading.Event()

    def work():
        go.wait()
        touch("written")
        done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    with mk_audit([])():
        go.set()
        thread.join()
    assert done


def test_f27_roots_are_resolved_when_they_are_given(tmp_path):
    os.environ["HOME"] = str(tmp_path)
    (tmp_path / "allowed").mkdir()
    with mk_audit(["~/allowed"])():
        touch(tmp_path / "allowed/x")


def test_f33_f42_threads():
    with mk_audit([])():
        with refused("thread"):
            threading.Thread(target=print).start()

    async def main():
        with mk_audit([])():
            return await asyncio.get_running_loop().run_in_executor(None, len, "abc")

    assert asyncio.run(main()) == 3


def test_f30_f34_f35_f41():
    with mk_audit(["."])():
        with open("x", "w") as file:
            os.truncate(file.fileno(), 0)
        os.environ["HARMLESS"] = "1"
        for name in ("PATH", "LD_PRELOAD", "PYTHONPATH", "PIP_INDEX_URL", "UV_CACHE_DIR"):
            with refused():
                os.environ[name] = "x"
        with refused():
            os.kill(os.getpid(), 0)
        with refused():
            sys.audit("fastaudit.unknown")
        sys.audit("glob.glob", "*")


def test_f40_imports_that_may_do_what_they_need(tmp_path):
    for name in ("import_ok", "added_later", "import_not"):
        (tmp_path / f"{name}.py").write_text("def f(): pass\nf.__code__ = f.__code__\n")
    sys.path.insert(0, str(tmp_path))
    sys.dont_write_bytecode = True
    audit = mk_audit([tmp_path], allow_imports=("import_ok",), monitor_calls=False)
    with audit():
        assert audit_state()["import_allow"] == ("import_ok",)
        import import_ok
        assert import_ok.f() is None
        for name in ("import_not", "added_later"):
            with refused():
                importlib.import_module(name)
        with refused():
            audit.add_imports("added_later")
        # the name alone is not enough
        global __name__
        __name__, keep = "import_ok", __name__
        with refused():
            importlib._bootstrap._call_with_frames_removed(lambda: pathlib.Path("/foo/bar").unlink())
        __name__ = keep
    assert audit.add_imports("added_later") == ("import_ok", "added_later")
    with audit():
        importlib.import_module("added_later")


def test_f46_no_roots_are_any_roots(tmp_path):
    with mk_audit(None)():
        touch(tmp_path / "x")
        with refused():
            subprocess.run(["echo"])


def test_a_context_of_nobody_is_still_guarded_inside():
    def evil():
        touch("written")

    with mk_audit([])():
        with refused():
            contextvars.Context().run(evil)
        with refused():
            contextvars.copy_context().run(evil)
