"""Which shell the cells get."""

import gc
import sys
from _frozen_importlib_external import PathFinder

# _errors is loaded now: when the C code asks for it, a cell is the caller, and cells may not import us.
from safepyrun import _amendments, _errors, _guard  # noqa: F401


def _ipython():
    from safepyrun._ipython import IPythonShell
    return IPythonShell()


def _plain(why="the kernel was asked for the plain shell (--shell plain)"):
    from safepyrun._plain import PlainShell
    return PlainShell(why)


#: the two others come along with ipykernel, not with IPython
_ADVICE = f"in a terminal: {sys.executable} -m pip install ipython matplotlib-inline comm"


def _auto():
    """IPython where it is installed; looking for it costs a directory listing, no import."""
    if PathFinder.find_spec("IPython") is None:
        return _plain(f"IPython is not installed; {_ADVICE}")
    try:
        return _ipython()
    except Exception as error:  # a broken installation must not cost the session
        _guard.log("warning", f"IPython cannot be used, cells run without it: {error!r}")
        return _plain(f"IPython is there and cannot be used ({error!r}); {_ADVICE}")


_SHELLS = {"auto": _auto, "ipython": _ipython, "plain": _plain}


#: (choice, shell): what a template has made before its guards were forked; the guard's own from then on
_prepared = None


def prepare(choice):
    """In a template: IPython's shell, which costs more than everything else in a guard's start."""
    global _prepared
    shell = _SHELLS[choice]()
    if shell.name != "ipython":     # quickly made, and to be made anew where IPython failed
        return
    shell.step_aside()
    _prepared = choice, shell


def prepared():
    """That of IPython itself, or None."""
    return _prepared[1].shell if _prepared is not None else None


def start(choice):
    if choice not in _SHELLS:
        raise ValueError(f"no shell {choice!r}: it is one of {', '.join(_SHELLS)}")
    _amendments.amend()
    if _prepared is not None:
        prepared_for, shell = _prepared
        if prepared_for != choice:
            raise ValueError(f"this template is for the shell {prepared_for!r}, not {choice!r}")
        shell.move_in()
        return shell
    gc.disable()  # what a shell makes while it starts is no garbage
    try:
        return _SHELLS[choice]()
    finally:
        gc.freeze()  # and need not be looked at again by each full collection
        gc.enable()


def describe(shell):
    """Content of READY."""
    return {"python_version": ".".join(map(str, sys.version_info[:3])),
            "shell": shell.name, "banner": shell.banner, "without_ipython": shell.without_ipython}
