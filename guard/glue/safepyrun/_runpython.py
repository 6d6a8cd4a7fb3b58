"""RunPython: cells of a language model in the host's own process. The order of things is C (`_guard.Runner`)."""

import builtins

from safepyrun import _config, _guard
from safepyrun._capture import Capture as _Capture  # noqa: F401  taken by the C code
from safepyrun._cell_tasks import cancel_tasks, wait_for_tasks  # noqa: F401  as well
from safepyrun._deny import asking, frame_args_of_view
from safepyrun._monitoring import CAN_MONITOR, freeze_mon_policy, mon_disable_policy, monitor_hooks, on_call, safe_native
from safepyrun._namespace import FOLDER, find_namespace, srcfn  # noqa: F401

BAN_IMPORTS = frozenset({"socket", "importlib", "safepyrun", "fastaudit"})

# What the user's config.py says; it runs here, once, when the first runner is asked for.
default_ok_dests = _config.load().get("default_ok_dests", ())


def _shell():
    """IPython's, when the program is one."""
    get_ipython = getattr(builtins, "get_ipython", None)
    return get_ipython() if get_ipython is not None else None


def _check_names(data, ban_imports):
    """What would guard less than was meant, and say nothing: `deny_reads=`, ban_imports="socket"."""
    for name in data:
        for argument in ("sentinel", "ok_dests", "ban_imports", "ban_defs", "pre_deny", "export", "capture", "deny_read"):
            if name.replace("_", "").rstrip("s") == argument.replace("_", "").rstrip("s"):
                raise TypeError(f"RunPython has no argument {name}; {argument} may be meant")
    if isinstance(ban_imports, str):
        raise TypeError("ban_imports is a list of texts, not one text")


@_guard.seal
class RunPython(_guard.Runner):
    """Runs Python under a guard and returns the value of the last expression.

    `import` works in the usual way, and all builtins are there. Writing is permitted below the roots `ok_dests` (none
    by default; None: everywhere), starting programs and the network are refused, functions and classes are not defined
    unless `ban_defs=False`. The host permits more with `allow()`; guarded code cannot. Names that a cell makes are the
    caller's afterwards.
    """

    __slots__ = ("ok_dests", "ban_imports", "ban_defs", "pre_deny", "export", "capture", "kwargs", "_frozen")

    def __init__(self, g=None, sentinel=None, ok_dests=..., ban_imports=BAN_IMPORTS, ban_defs=True, pre_deny=None, *,
                 export="all", capture=False, deny_read=None, **kwargs):
        if export not in ("all", "suffix"):
            raise ValueError(f'export is "all" or "suffix", not {export!r}')
        _check_names(kwargs, ban_imports)
        if g is None:
            shell = _shell()
            g = shell.user_ns if shell is not None else find_namespace(sentinel)
        self.ok_dests = default_ok_dests if ok_dests is ... else ok_dests
        self.ban_imports, self.ban_defs, self.pre_deny = ban_imports, ban_defs, pre_deny
        self.export, self.capture, self.kwargs = export, capture, kwargs
        self._frozen = freeze_mon_policy(mon_disable_policy)
        super().__init__(g, {
            "ok_dests": self.ok_dests, "ban_imports": sorted(ban_imports), "ban_defs": bool(ban_defs),
            "own_folder": FOLDER, "deny_read": deny_read, "only_suffix": export == "suffix", "captures": bool(capture),
            "before_deny": asking(pre_deny, frame_args_of_view, is_pre=True),
            "monitors": CAN_MONITOR, "on_call": on_call if CAN_MONITOR else None,
            "monitor_hooks": monitor_hooks() if CAN_MONITOR else (), "safe_native": safe_native() if CAN_MONITOR else (), "data": self._data(),
        })

    def _data(self):
        return {"ok_dests": self.ok_dests, "mon_policy": self._frozen, **self.kwargs}

    def __call__(self, code: str):
        frozen = freeze_mon_policy(mon_disable_policy) if CAN_MONITOR else self._frozen
        if frozen != self._frozen:
            self._frozen = frozen
            self._set_data(self._data())
        shell = _shell()
        return self.run(code if shell is None else shell.transform_cell(code))
