"""The thin Python face of the guard. The guard itself is C (`safepyrun._guard`).

Names are looked up when they are asked for: a kernel needs none of those that host programs use.
"""

import importlib

from safepyrun import _guard
from safepyrun._guard import __version__  # noqa: F401

_PARTS = {
    "_runpython": ("RunPython", "default_ok_dests"),
    "_namespace": ("find_var", "srcfn"),
    "_audit": ("audit_state", "mk_audit"),
    "_monitoring": ("freeze_mon_policy", "mon_disable_policy", "on_call"),
    "_cli": ("cli",),
    "_containers": ("CleanupSummary", "ContainerEngine", "ContainerError", "ContainerInfo", "DockerEngine"),
    "_runner": ("ExecutionOutcome", "ExecutionRequest", "LocalEngine", "RunnerPolicy", "RunnerResult", "run_code"),
    "_magic": ("create_pyrun_magic", "create_python_magic", "load_ipython_extension"),
    "_deny": ("CallInfo", "DenyInfo", "active_calls", "track_call"),
    "_errors": ("ToolError",),
    "_allow": ("allow", "allow_imports", "allow_write_types", "frame_args", "set_data"),
    "_allow_libraries": ("allow_httpx", "allow_matplotlib", "allow_pandas"),
    "_policies": ("AllowPolicy", "OpenWritePolicy", "PathWritePolicy", "PosAllowPolicy", "chk_dest"),
}
# What the user's config.py finds without imports.
CONFIG_NAMES = (*_PARTS["_allow"], *_PARTS["_allow_libraries"], *_PARTS["_policies"])
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}
_OF_HOSTS = ("_runpython", "_audit", "_deny", "_monitoring", "_cli", "_containers", "_magic", "_runner")
# safepyrun-guard has no runners: what a set-up file imports with "*" is the rest.
__all__ = sorted(name for name, part in _PART_OF.items()
                 if part not in _OF_HOSTS or hasattr(_guard, "Runner"))


def __getattr__(name):
    if name not in _PART_OF:
        raise AttributeError(f"module 'safepyrun' has no attribute {name!r}")
    return getattr(importlib.import_module(f"safepyrun.{_PART_OF[name]}"), name)


def __dir__():
    return sorted({*globals(), *__all__})
