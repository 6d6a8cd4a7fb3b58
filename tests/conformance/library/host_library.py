"""What the host of a guard brings along: library code, so it may do what a cell may not write itself."""

import subprocess
import sys
import warnings


def warn():
    warnings.warn("be careful")


def raise_unknown_event():
    sys.audit("pyrun.testevent")


def trusted_echo():
    return subprocess.run(["echo", "hi"], capture_output=True, text=True)


class Tool:
    def echo(self):
        return trusted_echo().stdout


class WrappedError(Exception):
    pass


def wrap_a_refusal():
    """As httpx and many others: their own exception in place of the one that happened."""
    try:
        trusted_echo()
    except OSError as error:
        raise WrappedError("cannot connect") from error


async def one():
    return 1


async def times_ten(number):
    return 10 * number


async def one_and_two():
    yield 1
    yield 2


def run_text(text, names):
    """A template engine, a data frame's query(): libraries run text that others wrote."""
    exec(text, names)
