"""`safepyrun FILE`: a script under the guard, in the words of RunPython."""

import asyncio
import pathlib
import sys
import traceback

from safepyrun._runpython import RunPython


def cli(path="-"):
    """Runs a file, or standard input for "-"; prints the last value when it is not None. Returns an exit status."""
    try:
        code = sys.stdin.read() if path == "-" else pathlib.Path(path).read_text()
        value = asyncio.run(_run(code))
        if value is not None:
            print(value)
    except Exception as error:
        print(f"Error: {_short(error)}", file=sys.stderr)
        if isinstance(error, PermissionError) and "safepyrun refused" in str(error):
            print("Note: this way to run a script takes no policy; `safepyrun run --policy FILE` does.", file=sys.stderr)
        return 1
    return 0


def _short(error):
    """Its last line in a traceback: a KeyError's text alone is a name, an AssertionError's nothing."""
    try:
        return "".join(traceback.format_exception_only(error)).strip()
    except Exception:       # what it says of itself is the script's, and may be refused
        return type(error).__name__


async def _run(code):
    return await RunPython(g={"__name__": "__main__"})(code)
