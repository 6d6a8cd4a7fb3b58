"""The thin Python face of the guard. The guard itself is C (`safepyrun._guard`).

Names are looked up when they are asked for: a kernel needs none of those that host programs use.
"""

import importlib

_PARTS = {
    "_runpython": ("RunPython", "default_ok_dests"),
    "_namespace": ("find_var", "srcfn"),
    "_audit": ("mk_audit",),
}
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}
__all__ = sorted(_PART_OF)


def __getattr__(name):
    if name not in _PART_OF:
        raise AttributeError(f"module 'safepyrun' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"safepyrun.{_PART_OF[name]}"), name)
    return value
