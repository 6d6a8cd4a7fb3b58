"""mk_audit: a guard around a part of the host's own code, for the task that enters it."""

import sys

from safepyrun import _guard
from safepyrun._deny import asking


def mk_audit(oks, before_deny=None, on_call=None, data=None, tool_id=3, monitor_calls=None, allow_imports=(), *,
             deny_read=None):
    """A function whose result is a context manager: `with mk_audit(["."])():`.

    oks            folders below which writing is permitted; "." is where the process is at the moment
    before_deny    asked before each refusal, as (event, args, frame, msg, data), with a sixth argument (no calls: ()),
                   or with one DenyInfo; true: it is permitted. It sees copies, and runs as the host
    monitor_calls  native functions of packages are refused unless they are known to be harmless; by default where
                   Python can tell (3.12 and later)
    """
    if isinstance(allow_imports, str):
        allow_imports = (allow_imports,)
    can_monitor = hasattr(sys, "monitoring")
    if on_call is not None and monitor_calls is False:
        raise RuntimeError("on_call requires monitor_calls=True")
    if monitor_calls and not can_monitor:
        raise RuntimeError("monitor_calls=True requires Python 3.12 or later")
    return _guard.Audit({
        "ok_dests": oks, "ban_defs": False, "deny_read": deny_read, "import_allow": tuple(allow_imports),
        "before_deny": asking(before_deny, (), is_pre=False), "on_call": on_call, "data": data, "judges_host_code": True,
        "monitors": can_monitor if monitor_calls is None else bool(monitor_calls),
    })
