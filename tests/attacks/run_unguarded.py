"""Runs the cells of test_tools.py where nobody is guarded, each in a process of its own.

    python run_unguarded.py FOLDER_OF_SAFEPYRUN FOLDER    (cells as JSON on standard input)

FOLDER holds tools.py. Says which cells have left their trace, as JSON: {name: true or false}.
"""

import ast
import asyncio
import inspect
import json
import os
import signal
import sys

sys.path[:0] = sys.argv[1:3]
import tools  # noqa: E402


def run(cell, trace):
    """In a child; the parent looks for the trace."""
    child = os.fork()
    if child == 0:
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        signal.alarm(5)  # a cell that waits for ever
        names = {**vars(tools), "__name__": "__main__"}
        try:
            value = eval(compile(cell, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
            if inspect.iscoroutine(value):
                asyncio.run(value)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    found = os.path.exists(trace)
    if found:
        os.unlink(trace)
    return found


def main():
    request = json.load(sys.stdin)
    trace = request["trace"]
    json.dump({name: run(cell, trace) for name, cell in request["cells"].items()}, sys.stdout)


main()
