"""IPython's tracebacks for the errors of cells.

Never raises: an error that cannot be formatted nicely is formatted plainly, and one whose own
`__str__` fails is still named.
"""

import sys
import traceback

from IPython.core.error import UsageError

from safepyrun._short import frames, is_short, own_lines


def error_parts(shell, error):
    """(ename, evalue, lines) as `Shell.format_error` promises."""
    _remember(error)
    content = error_content(shell, error)
    shell.error_to_debug = shell.call_pdb and isinstance(error, Exception) and error.__traceback__ is not None
    lines = [] if _shown_by_user(shell, error, content["traceback"]) else content["traceback"]
    return content["ename"], content["evalue"], lines


def _shown_by_user(shell, error, lines):
    """Libraries such as rich put a function of their own in the shell's place; set_custom_exc() too."""
    try:
        if isinstance(error, shell.custom_exceptions):
            shell.CustomTB(type(error), error, error.__traceback__)
            return True
        if "_showtraceback" in vars(shell):
            shell._showtraceback(type(error), error, lines)
            return True
    except Exception:
        pass        # then IPython's lines are shown, as for any other error
    return False


def debug_error(shell):
    """%pdb on: a prompt for the error that has just been shown."""
    wanted, shell.error_to_debug = shell.error_to_debug, False
    try:
        if wanted:
            shell.debugger(force=True)
    except (Exception, KeyboardInterrupt) as failure:
        print(f"%pdb: {type(failure).__name__}: {failure}", file=sys.stderr)     # nobody is there to type, for one


def _remember(error):
    """What %tb and %debug look at."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    sys.last_exc = error


def error_content(shell, error, exception_only=False):
    """Content of an `error` message, and the error part of a reply."""
    try:
        lines = [str(line) for line in _lines(shell, error, exception_only)]
    except Exception:
        lines = _plain_lines(error)
    return {"ename": type(error).__name__, "evalue": _text(error), "traceback": lines}


def _text(error):
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose str() fails>"


def _plain_lines(error):
    try:
        return "".join(traceback.format_exception(error)).splitlines()
    except Exception:
        return [f"{type(error).__name__}: {_text(error)}"]


def _lines(shell, error, exception_only):
    if isinstance(error, UsageError):
        return [f"UsageError: {error}"]
    if isinstance(error, SyntaxError):
        # Frames matter when the broken text is not the cell itself but, say, a module it imports.
        ran = _cell_frames(shell, error.__traceback__) is not None
        above = traceback.extract_tb(_foreign_frames(error.__traceback__)) if ran else []
        return shell.SyntaxTB.structured_traceback(type(error), error, above)
    if exception_only or isinstance(error, SystemExit):
        return shell.InteractiveTB.get_exception_only(type(error), error)
    if hasattr(error, "_render_traceback_"):
        return error._render_traceback_()
    if _has_group(error):
        # IPython formats a group as if it were its message only.
        return _plain_lines(error)
    shown = frames(_below_glue(error.__traceback__), _leads_somewhere)
    if is_short(error):
        shown = _cell_frames(shell, shown)
        if shown is None:       # refused before anything ran
            return shell.InteractiveTB.get_exception_only(type(error), error)
        with own_lines(error, _is_cells(shell)):
            return shell.InteractiveTB.structured_traceback(type(error), error, shown, tb_offset=0)
    return shell.InteractiveTB.structured_traceback(type(error), error, shown, tb_offset=0)


def _below_glue(tb):
    """Without the frames through which a display hook, a magic or a callback was called."""
    while tb is not None and _is_glue(tb.tb_frame.f_globals.get("__name__")):
        tb = tb.tb_next
    return tb


def _leads_somewhere(frame):
    """Not from a cell to its magic, where IPython leaves out its own frames, nor to the process of a tool."""
    return frame.f_globals.get("__name__") not in ("safepyrun._ipython_shell", "safepyrun._outside")


def _is_glue(module):
    return isinstance(module, str) and module.startswith(("safepyrun.", "IPython.core."))


def _is_cells(shell):
    return lambda frame: frame.f_code.co_filename in shell.compile._filename_map


def _cell_frames(shell, tb):
    return frames(tb, _is_cells(shell))


def _foreign_frames(tb):
    return frames(tb, lambda frame: not _is_glue(frame.f_globals.get("__name__")))


def _has_group(error, seen=None):
    seen = seen or set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BaseExceptionGroup):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
