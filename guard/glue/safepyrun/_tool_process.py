"""The loop of a tool process: one call after the other, from the control socket to the answer.

All that a call brings is a number and JSON. It is judged here, outside of the guard: the number must be that of a tool, the
values what value.c would have sent, and the tool's policy is asked before the tool runs.
"""

import asyncio
import inspect
import json
import signal
import sys
import time

from safepyrun import _guard, _outside

_RECORD_CHARACTERS = 4000


class _Interrupts:
    """SIGINT is the starter's word that nobody waits any more; between two calls it comes too late and is ignored."""

    def __init__(self):
        self.stop = None  # what ends the call at hand
        signal.signal(signal.SIGINT, self.handle)

    def handle(self, *unused):
        if self.stop is not None:
            self.stop()


def _raise():
    raise KeyboardInterrupt


class _Gone(Exception):
    """The guard has closed the call."""


class _Call:
    def __init__(self, number, connection, tool):
        self.number, self.connection, self.tool = number, connection, tool
        self.started = time.monotonic()

    def send(self, kind, value):
        return _guard.tool_answer(self.connection, ord(kind), value)

    def answer(self, kind, value):
        if not self.send(kind, value):
            raise _Gone

    def record(self, outcome, **more):
        """A line of the audit log."""
        line = {"tool": self.tool.name if self.tool else None, "call": self.number, "outcome": outcome,
                "wall_ms": round((time.monotonic() - self.started) * 1000, 3), **more}
        _guard.tool_record(json.dumps(line).encode())


def _refuse_constant(word):
    raise ValueError(f"{word} cannot be handed to a tool process")


def _read_arguments(text):
    """(args, kwargs) of a call; ValueError for what no stand-in would have sent."""
    try:
        value = json.loads(text.decode("utf-8", "strict"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _guard.tool_check(value)
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], list) and isinstance(value[1], dict)):
        raise ValueError("not the arguments of a call")
    return value


class _Process:
    def __init__(self, problem):
        self.problem = problem
        self.tools = _outside.tools()
        self.interrupts = _Interrupts()
        self.runner = None  # made with the first coroutine; its loop is kept for the next

    def run(self, number, index, text, connection):
        call = _Call(number, connection, self.tools[index] if index < len(self.tools) else None)
        _guard.tool_open_streams(connection)
        try:
            self.interrupts.stop = _raise
            self.serve(call, text)
        except (_Gone, KeyboardInterrupt):
            call.record("interrupted")
            call.send("x", {"type": "RuntimeError", "text": "interrupted", "arguments": ["the call was interrupted"]})
        finally:
            self.interrupts.stop = None
            _close_streams()

    def serve(self, call, text):
        """What the last answer says is on record before it is sent: the cell may be over right after it."""
        try:
            made = self.drive(call, *self.accept(call, text))
            _guard.tool_check(made)
            kind, outcome = "r", "returned"
        except (KeyboardInterrupt, _Gone):
            raise
        except BaseException as error:  # also SystemExit: a call must not end the process
            made = _describe(error)
            kind, outcome = "x", "refused" if isinstance(error, _Refused) else "raised"
        _flush()
        self.interrupts.stop = None  # who has the answer closes the call, which looks like giving it up
        call.record(outcome)
        call.answer(kind, made)

    def accept(self, call, text):
        if self.problem is not None:
            raise RuntimeError(self.problem)
        if call.tool is None:
            raise ValueError("there is no such tool")
        args, kwargs = _read_arguments(text)
        shown = json.dumps({"args": args, "kwargs": kwargs})
        call.record("called", arguments=shown if len(shown) <= _RECORD_CHARACTERS else shown[:_RECORD_CHARACTERS] + "…")
        self.ask_policy(call.tool, args, kwargs)
        limit = call.tool.timeout_seconds
        _guard.tool_begin(_guard.tool_seconds() if limit is None else limit)
        return args, kwargs

    def ask_policy(self, tool, args, kwargs):
        """As for a tool inside of the guard: (obj, args, kwargs, data), and any exception refuses."""
        if tool.policy is None:
            return
        try:
            tool.policy(None, args, kwargs, _guard.tool_data())
        except Exception as error:
            raise _Refused(f"safepyrun refused the call: {tool.name} is allowed, but not so: {error}") from None

    def drive(self, call, args, kwargs):
        made = call.tool.function(*args, **kwargs)
        if inspect.iscoroutine(made) or inspect.isasyncgen(made):
            made = self.drive_async(call, made)
        elif inspect.isgenerator(made):
            made = _drain(call, made)
        return made

    def drive_async(self, call, made):
        if self.runner is None:
            self.runner = asyncio.Runner()
        loop = self.runner.get_loop()
        task = loop.create_task(_consume(call, made) if inspect.isasyncgen(made) else made)
        self.interrupts.stop = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            self.interrupts.stop = _raise


class _Refused(PermissionError):
    pass


def _drain(call, generator):
    try:
        while True:
            try:
                value = next(generator)
            except StopIteration as stop:
                return stop.value
            _flush()
            call.answer("y", value)
    finally:
        generator.close()


async def _consume(call, generator):
    try:
        async for value in generator:
            _flush()
            call.answer("y", value)
    finally:
        await generator.aclose()


def _describe(error):
    cls = type(error)
    name = "PermissionError" if isinstance(error, _Refused) else cls.__qualname__
    if cls.__module__ not in ("builtins", __name__):
        name = f"{cls.__module__}.{name}"
    arguments = [str(error)]
    if isinstance(error, OSError) and error.errno is not None:
        arguments = [error.errno, error.strerror, error.filename]
    elif isinstance(error, KeyError):
        arguments = list(error.args)
    try:
        _guard.tool_check(arguments)
    except (TypeError, ValueError):
        arguments = None
    return {"type": name, "text": _printable(error), "arguments": arguments}


def _printable(error):
    try:
        return str(error).encode("utf-8", "backslashreplace").decode()[:10000]
    except Exception:
        return "it cannot be shown"


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a tool has closed it: its own affair
            pass


def _close_streams():
    _flush()
    _guard.tool_close_streams()


def serve(names, problem):
    """Until the starter ends."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    if problem is None and _outside.names() != names:
        problem = "the set-up files make other tools than when the kernel was started; start it anew"
    process = _Process(problem)
    while True:
        number, index, text, connection = _guard.tool_next()
        process.run(number, index, text, connection)
        _guard.tool_done(connection)
        if problem is not None:
            return  # the next call finds a process that tries again
