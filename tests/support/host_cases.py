"""Runs the functions of a file under one Python, each in a process of its own, and prints what came of them as JSON.

    python -P host_cases.py FOLDER_OF_SAFEPYRUN FILE [NAME...]

A function is a test when its name begins with test_; it may be async and may take `tmp_path`. No pytest here: the
Pythons that safepyrun serves need not have it.
"""

import asyncio
import importlib.util
import inspect
import json
import os
import pathlib
import signal
import sys
import tempfile
import traceback

sys.path.insert(0, sys.argv[1])
os.environ["XDG_CONFIG_HOME"] = os.devnull  # no config.py of whoever runs the tests
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from host_tools import Skip  # noqa: E402


LIMIT_S = 20  # for one function


def run(function, folder):
    try:
        result = function(**{name: folder for name in inspect.signature(function).parameters})
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except Skip as reason:
        return ["skipped", str(reason)]
    except BaseException:
        return ["failed", traceback.format_exc()]
    return ["passed", ""]


def run_apart(function):
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if child == 0:
            os.close(reader)
            signal.alarm(LIMIT_S)
            os.dup2(2, 1)
            os.chdir(folder)
            os.write(writer, json.dumps(run(function, pathlib.Path(folder))).encode())
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as answers:
            answer = answers.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(answer) if answer else ["failed", f"the process ended with status {status}"]


def main():
    spec = importlib.util.spec_from_file_location("__main__", sys.argv[2])
    module = importlib.util.module_from_spec(spec)
    sys.modules["__main__"] = module
    spec.loader.exec_module(module)
    wanted = sys.argv[3:] or [name for name in vars(module) if name.startswith("test_")]
    json.dump({name: run_apart(getattr(module, name)) for name in wanted}, sys.stdout)


main()
