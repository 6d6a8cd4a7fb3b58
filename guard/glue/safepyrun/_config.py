"""The user's own Python settings: $XDG_CONFIG_HOME/safepyrun/config.py, run once, trusted, before any cell.

It registers tools with the names of this package at hand, without imports. An error in it is a warning; what it had
registered until then is taken back.
"""

import os
import sys
import warnings

from safepyrun import _guard

_STANDARD = ("asyncio", "datetime", "functools", "json", "math", "os", "pathlib", "re", "shutil", "subprocess", "sys")


def path():
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "safepyrun", "config.py")


def _names():
    import pathlib  # here: 9 ms that only who has such a file shall wait for

    import safepyrun
    names = {name: getattr(safepyrun, name) for name in safepyrun.CONFIG_NAMES}
    names.update((name, __import__(name)) for name in _STANDARD)
    return {**names, "Path": pathlib.Path, "__name__": "safepyrun_config", "__builtins__": __builtins__}


def load(warn=warnings.warn):
    """The names that the file has made; {} where there is none."""
    file = path()
    if not os.path.exists(file):
        return {}
    names = {**_names(), "__file__": file}
    registered = _guard.tool_count()
    try:
        with open(file, encoding="utf-8") as opened:
            exec(compile(opened.read(), file, "exec"), names)
    except Exception as error:
        _guard.forget_tools(registered)
        warn(f"Failed to load {file}: {_where(error, file)}{type(error).__name__}: {error}")
        return {}
    return names


def _where(error, file):
    if isinstance(error, SyntaxError):
        return ""  # says it itself
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return f"line {line}: " if line else ""


def load_for_kernel():
    """In a guard process: a warning is a line in the log and on stderr of the kernel."""
    load(lambda text: (_guard.log("warning", text), print(text, file=sys.stderr)))
