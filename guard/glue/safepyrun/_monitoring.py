"""Which native functions of packages guarded code may call: lists, and on_call, which decides by names."""

import os
import sys
import warnings

from safepyrun._deny import takes

#: packages whose native code computes and opens no files on its own; those of their functions that do are
#: known to the C code (native_rows.def)
SAFE_NATIVE = ("numpy", "pandas", "scipy", "sklearn", "matplotlib", "contourpy", "kiwisolver", "dateutil", "regex", "_regex",
               "rpds", "pydantic_core", "yaml._yaml", "lxml", "PIL", "numexpr", "bottleneck")

CAN_MONITOR = hasattr(sys, "monitoring")

#: what RunPython's on_call lets pass; a program may change it between two runs
mon_disable_policy = dict(callees=set(), callers=set(), pairs=set(), preds=(), callee_prefixes=(),
                          callee_suffixes=(".dumps", ".loads"), caller_prefixes=(), caller_suffixes=())

_SETS = ("callees", "callers", "pairs")
_TUPLES = ("preds", "callee_prefixes", "callee_suffixes", "caller_prefixes", "caller_suffixes")


def freeze_mon_policy(p):
    """The policy as it is now: what changes later is for the next run."""
    return {**{name: frozenset(p.get(name, ())) for name in _SETS}, **{name: tuple(p.get(name, ())) for name in _TUPLES}}


def on_call(caller, callee, fn, code, off, data, calls=()):
    """sys.monitoring.DISABLE when the names say that this call is harmless; else None, and the call is judged."""
    policy = data["mon_policy"]
    if callee in policy["callees"] or caller in policy["callers"] or (caller, callee) in policy["pairs"] \
            or callee.startswith(policy["callee_prefixes"]) or callee.endswith(policy["callee_suffixes"]) \
            or caller.startswith(policy["caller_prefixes"]) or caller.endswith(policy["caller_suffixes"]) \
            or any(pred(caller, callee, fn, code, off) for pred in policy["preds"]):
        return sys.monitoring.DISABLE
    return None


def with_six(function):
    """on_call as the C code calls it; later versions of fastaudit give a seventh argument, the calls under way."""
    if not callable(function) or function is on_call or takes(function, 7, most=7) != 7:
        return function
    return lambda *args: function(*args, ())


def _is_installed(point):
    """Not in a folder of sys.path where guarded code may have written in an earlier session."""
    folder = point.dist.locate_file("") if point.dist is not None else ""
    return os.path.basename(os.path.realpath(folder)) in ("site-packages", "dist-packages")


def _declared(*groups):
    """What installed packages declare under these entry points; asked outside of any guard."""
    from importlib.metadata import entry_points
    return [point for group in groups for point in entry_points(group=group) if _is_installed(point)]


#: what the two functions below have found. Names of the module, which the C code holds while guarded code runs: a cache of
#: functools could be emptied there, and filled anew from what a cell has put in place of importlib's
_safe_native = None
_hooks = None


def safe_native():
    """The list above and what installed packages declare (entry points of fastaudit), read once."""
    global _safe_native
    if _safe_native is None:
        declared = (point.value for point in _declared("safepyrun_safe_native", "fastaudit_safe_native"))
        _safe_native = tuple(sorted({*SAFE_NATIVE, *filter(None, map(str.strip, declared))}))
    return _safe_native


def monitor_hooks():
    """Functions of installed packages that know which native calls are harmless, with on_call's seven arguments.

    They are imported once, by the program that makes the first guard. One that cannot be imported permits nothing.
    """
    global _hooks
    if _hooks is not None:
        return _hooks
    hooks = []
    for point in _declared("safepyrun_monitor_hook", "fastaudit_monitor_hook"):
        try:
            hooks.append(point.load())
        except Exception as error:
            warnings.warn(f"the monitor hook {point.value} is left out: {error!r}", RuntimeWarning, stacklevel=2)
    _hooks = tuple(hooks)
    return _hooks
