"""Errors whose reader needs the cell's own lines alone: refusals and interrupts.

The lines of the library below them do not help, nor does what that library had met before. For words only:
nothing is decided by what is shown.
"""

import errno

_SUPPRESS = BaseException.__dict__["__suppress_context__"]


def is_short(error):
    return isinstance(error, KeyboardInterrupt) \
        or (isinstance(error, PermissionError) and error.errno == errno.EACCES)


def frames(tb, is_wanted):
    """The same traceback with the wanted frames alone; None when there are none."""
    kept = []
    while tb is not None:
        if is_wanted(tb.tb_frame):
            kept.append(tb)
        tb = tb.tb_next
    shown = None
    for entry in reversed(kept):
        shown = type(entry)(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shown


def _met_by_cell(error, is_cells):
    """Whether a line of the cell stands in the traceback of this error or of one before it."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if frames(error.__traceback__, is_cells) is not None:
            return True
        error = error.__cause__ or error.__context__
    return False


class own_lines:
    """While it lasts, the error does not lead to what a library alone had met before."""

    def __init__(self, error, is_cells):
        self._error = error
        self._hides = error.__cause__ is None and not error.__suppress_context__ \
            and not _met_by_cell(error.__context__, is_cells)

    def __enter__(self):
        if self._hides:
            _SUPPRESS.__set__(self._error, True)

    def __exit__(self, *unused):
        if self._hides:
            _SUPPRESS.__set__(self._error, False)
