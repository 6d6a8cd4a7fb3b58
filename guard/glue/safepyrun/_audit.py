"""mk_audit: a guard around a part of the host's own code, for the task that enters it."""

from safepyrun import _guard
from safepyrun._deny import CallInfo, asking
from safepyrun._monitoring import CAN_MONITOR, monitor_hooks, safe_native, with_six
from safepyrun._namespace import FOLDER


def mk_audit(oks, before_deny=None, on_call=None, data=None, tool_id=3, monitor_calls=None, allow_imports=(), *,
             deny_read=None):
    """A function whose result is a context manager: `with mk_audit(["."])():`.

    oks            folders below which writing is permitted; "." is where the process is at the moment
    before_deny    asked before each refusal, as (event, args, frame, msg, data), with a sixth argument (the tracked calls),
                   or with one DenyInfo; true: it is permitted. It sees copies, and runs as the host
    monitor_calls  native functions of packages are refused unless they are known to be harmless; by default where
                   Python can tell (3.12 and later)
    """
    if isinstance(allow_imports, str):
        allow_imports = (allow_imports,)
    if on_call is not None and monitor_calls is False:
        raise RuntimeError("on_call requires monitor_calls=True")
    monitors = CAN_MONITOR if monitor_calls is None else bool(monitor_calls)
    return _guard.Audit({
        "ok_dests": oks, "ban_defs": False, "deny_read": deny_read, "import_allow": tuple(allow_imports),
        "before_deny": asking(before_deny, CallInfo, is_pre=False), "on_call": with_six(on_call), "data": data, "judges_host_code": True,
        "own_folder": FOLDER,
        "monitors": monitors, "tool_id": tool_id, "safe_native": safe_native() if monitors else (),
        "monitor_hooks": monitor_hooks() if monitors else (),
    })


def audit_state():
    """What is in force here: whether a guard is entered, whether native calls are looked at, by which tool id."""
    return _guard.audit_state()
