"""Checks of single calls, for allow(): policy(obj, args, kwargs, data) raises PermissionError to refuse.

What they are given are copies of built-in types, made in C; an object of the cell's is a stand-in. Whether a
path lies in a write root is decided in C.
"""

from safepyrun import _guard


def chk_dest(path, ok_dests):
    """PermissionError unless the path lies below one of the folders; None: writes are not guarded."""
    if isinstance(ok_dests, dict):
        ok_dests = ok_dests.get("ok_dests", ())
    if ok_dests is None:
        return
    try:
        inside = _guard.path_is_inside(path, ok_dests)
    except (TypeError, ValueError):
        raise PermissionError(f"the destination is no path: {path!r}") from None
    if not inside:
        raise PermissionError(f"{str(path)!r} is not below {', '.join(map(repr, ok_dests)) or 'any folder'}")


class AllowPolicy:
    """Base of policies that are objects."""

    def __call__(self, obj, args, kwargs, data):
        raise NotImplementedError


class _FilePolicy(AllowPolicy):
    #: it says where a call may write, which the write roots see to; it gives the call no other right
    only_files = True


class PosAllowPolicy(_FilePolicy):
    """The argument at a position, or of a name, is where the call may write."""

    def __init__(self, pos=0, kw=None):
        self.pos, self.kw = pos, kw

    def __call__(self, obj, args, kwargs, data):
        if self.kw and self.kw in kwargs:
            path = kwargs[self.kw]
        else:
            path = args[self.pos] if self.pos < len(args) else None
        if path is not None:
            chk_dest(path, data)


class PathWritePolicy(_FilePolicy):
    """The object itself is a path where the call may write, and perhaps one argument more."""

    def __init__(self, target_pos=None, target_kw=None):
        self.target_pos, self.target_kw = target_pos, target_kw

    def __call__(self, obj, args, kwargs, data):
        chk_dest(obj, data)
        if self.target_pos is not None and self.target_pos < len(args):
            chk_dest(args[self.target_pos], data)
        if self.target_kw and self.target_kw in kwargs:
            chk_dest(kwargs[self.target_kw], data)


class OpenWritePolicy(_FilePolicy):
    """open(): a mode that writes needs a file in a write root."""

    def __call__(self, obj, args, kwargs, data):
        mode = kwargs.get("mode", args[1] if len(args) > 1 else "r")
        if not isinstance(mode, str):
            raise PermissionError("the mode is no str")
        if set(mode) & set("wax+"):
            chk_dest(args[0] if args else kwargs.get("file"), data)
