"""For the files of tests/host/cases: running cells and expecting refusals, without pytest."""

import asyncio
import contextlib


class Skip(Exception):
    """This Python cannot show it; the text says why."""


@contextlib.contextmanager
def refused(words=""):
    """A PermissionError with the words of a refusal."""
    try:
        yield
    except PermissionError as error:
        assert "safepyrun refused to" in str(error), error
        assert words in str(error), f"{words!r} is not in {error}"
    else:
        raise AssertionError("nothing was refused")


@contextlib.contextmanager
def raises(kind, words=""):
    try:
        yield
    except kind as error:
        assert words in str(error), f"{words!r} is not in {error}"
    else:
        raise AssertionError(f"no {kind.__name__} was raised")


def run(code, *, loop=True, **options):
    """The value of one cell under a RunPython of its own."""
    from safepyrun import RunPython

    options.setdefault("g", {})
    return asyncio.run(RunPython(**options)(code))


def refuses(code, words="", **options):
    with refused(words):
        run(code, **options)
