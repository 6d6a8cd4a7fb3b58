"""A refused cell, seen by a client: an ordinary error with words that help, and the session goes on."""

import pytest
from frontend import only, text
from kernel_process import BUILD

REFUSED = {
    "delete": "import os\nos.remove('/srv/elsewhere')",
    "write": "open('/srv/elsewhere', 'w')",
    "program": "import subprocess\nsubprocess.run(['true'])",
    "shell": "import os\nos.system('true')",
    "network": "from http.client import HTTPConnection\nHTTPConnection('127.0.0.1', 9).connect()",
    "exec": "exec('1')",
    "eval": "eval('1')",
    "def": "def f(): pass",
    "class": "class C: pass",
    "import": "import importlib",
    "from": "from importlib import import_module",
    "user expression": None,
}


@pytest.mark.parametrize("what", [name for name in REFUSED if REFUSED[name]])
def test_refused(front, what):
    reply, outputs = front.run("kept = 1\n")
    reply, outputs = front.run(REFUSED[what])
    assert reply.content["status"] == "error"
    assert reply.content["ename"] == "PermissionError", reply.content["evalue"]
    assert len(reply.content["evalue"]) > 20
    assert only(outputs, "error").content["evalue"] == reply.content["evalue"]
    assert text(front.run("print(kept)")[1]) == "1\n"


def test_user_expressions_are_guarded(front):
    reply, _ = front.run("1", user_expressions={"a": "exec('1')", "b": "__import__('os').remove('/srv/elsewhere')"})
    for name in ("a", "b"):
        assert reply.content["user_expressions"][name]["ename"] == "PermissionError"


def test_writing_where_the_notebook_is(front, kernel):
    reply, _ = front.run("with open('here.txt', 'w') as file: print('written', file=file)")
    assert reply.content["status"] == "ok", reply.content
    assert (kernel.work / "here.txt").read_text() == "written\n"


def test_write_root_argument(start_kernel, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    kernel = start_kernel(arguments=["--write-root", elsewhere])
    reply, _ = kernel.frontend().run(f"open('{elsewhere}/file', 'w').close()")
    assert reply.content["status"] == "ok", reply.content


def test_policy_file(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy='ban_defs = false\nban_imports = ["json"]\nok_dests = []\n')
    front = kernel.frontend()
    assert front.run("def double(n):\n    return 2 * n\ndouble(4)")[0].content["status"] == "ok"
    assert front.run("import json")[0].content["ename"] == "PermissionError"
    assert front.run("open('here.txt', 'w')")[0].content["ename"] == "PermissionError"


@pytest.mark.parametrize("policy", ["no_such_key = 1\n", "ban_defs = 'maybe'\n", "preset = 'lenient'\n", "this is no toml"])
def test_wrong_policy_never_starts_half(start_kernel, policy):
    """Either the process ends with the reason, or every cell is refused with it; no cell runs."""
    kernel = start_kernel(policy=policy)
    try:
        kernel.wait(1.5)
        assert "policy" in kernel.stderr.read_text()
    except Exception:
        reply, _ = kernel.frontend().run("1")
        assert reply.content["status"] == "error"
        assert "policy" in reply.content["evalue"]


def test_an_installation_below_a_write_root_stays_what_it_is(start_kernel, shell):
    """What a cell wrote there would run at the next start, and not under a guard."""
    library = BUILD / "lib" / "safepyrun"
    kernel = start_kernel(shell=shell, arguments=["--write-root", BUILD])
    with kernel.frontend() as front:
        front.run("import asyncio\nawait asyncio.sleep(0)")  # loads a part of the guard's glue
        for path in (library / "main.py", library / "safepyrun" / "_new.py", BUILD / "bin" / "safepyrun"):
            reply, _ = front.run(f"open({str(path)!r}, 'ab')")
            assert reply.content["ename"] == "PermissionError"
    assert not (library / "safepyrun" / "_new.py").exists()


@pytest.mark.parametrize("path", [".bashrc", ".bash_completion", ".local/share/bash-completion/completions/git", ".selected_editor", ".condarc",
                                  ".config/uv/uv.toml"])
def test_what_starts_without_a_guard_is_not_written_in_the_home_folder(start_kernel, tmp_path, path):
    front = start_kernel(environment={"HOME": str(tmp_path)}, arguments=("--write-root", tmp_path)).frontend()
    code = "import os, pathlib; path = pathlib.Path.home() / {!r}; os.makedirs(path.parent, exist_ok=True); path.write_text('echo')"
    assert front.run(code.format(path))[0].content["ename"] == "PermissionError"
    assert front.run(code.format("own/" + path))[0].content["status"] == "ok"
