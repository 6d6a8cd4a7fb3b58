"""Exceptions that front ends and notebooks know by name."""

import sys


class StdinNotImplementedError(NotImplementedError):
    """input() was called, but the front end does not answer questions."""


class ToolError(RuntimeError):
    """A tool that runs outside has failed: its process ended, or it raised what is no built-in exception."""


def stdin_not_implemented_error():
    """IPython's class when IPython is in use: code that catches it means that one."""
    module = sys.modules.get("IPython.core.error")
    return getattr(module, "StdinNotImplementedError", StdinNotImplementedError)
