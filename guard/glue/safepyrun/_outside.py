"""allow(f, outside=True): functions of a set-up file that run in a process of their own, outside of both rings.

In the guard a stand-in takes the place of each: it hands the arguments over as JSON and waits. In a tool process the same
call fills the table from which calls are served. A tool is its place in the order of registration; its name is for
people.
"""

import builtins
import functools
import inspect

from safepyrun import _guard, _json
from safepyrun._errors import ToolError


class Tool:
    def __init__(self, function, policy, timeout_seconds):
        self.function, self.policy, self.timeout_seconds = function, policy, timeout_seconds
        self.name = getattr(function, "__qualname__", None) or type(function).__qualname__
        self.stand_in = None


_tools = []


def register(function, policy, timeout_seconds):
    """What the set-up file goes on with: the stand-in in a guard, the function itself in a tool process."""
    role = _guard.outside_role()
    if role == "not now":
        raise RuntimeError("allow(outside=True) is for set-up files, those that [setup] files names in a policy file")
    if not callable(function):
        raise TypeError(f"allow(outside=True): {function!r} cannot be called")
    if timeout_seconds is not None and not (isinstance(timeout_seconds, int) and timeout_seconds >= 0):
        raise ValueError("allow(timeout_seconds=…) takes a whole number, 0 for no limit")
    for tool in _tools:
        if tool.function is function:
            return tool.stand_in or function
    tool = Tool(function, policy, timeout_seconds)
    if "\n" in tool.name:
        raise ValueError(f"allow(outside=True): no name for a tool: {tool.name!r}")
    if role == "guard":
        tool.stand_in = _make_stand_in(tool, len(_tools))
    _tools.append(tool)
    return tool.stand_in or function


def tools():
    return list(_tools)


def names():
    """What every tool process has to agree with."""
    return "\n".join(tool.name for tool in _tools)


def replace(namespace):
    for name, value in list(namespace.items()):
        for tool in _tools:
            if value is tool.function:
                namespace[name] = tool.stand_in


def is_stand_in(value):
    return any(value is tool.stand_in for tool in _tools)


# ---- what the guard's cells call -------------------------------------------------------------------


def kind_of(function):
    """async generator, coroutine, generator, or plain: of the function behind partials and methods."""
    while isinstance(function, functools.partial):
        function = function.func
    if not (inspect.isfunction(function) or inspect.ismethod(function) or inspect.isbuiltin(function)):
        function = getattr(type(function), "__call__", function)
    for kind, test in (("async generator", inspect.isasyncgenfunction), ("coroutine", inspect.iscoroutinefunction),
                       ("generator", inspect.isgeneratorfunction)):
        if test(function):
            return kind
    return "plain"


def _make_stand_in(tool, number):
    made = _KINDS[kind_of(tool.function)](tool.name, number)
    made.__name__ = getattr(tool.function, "__name__", tool.name)
    made.__qualname__ = tool.name
    made.__doc__ = getattr(tool.function, "__doc__", None)
    made.__module__ = getattr(tool.function, "__module__", None)
    try:
        made.__signature__ = inspect.signature(tool.function)
    except (TypeError, ValueError):  # a built-in function that has none
        pass
    made.__annotations__ = dict(getattr(tool.function, "__annotations__", {}))
    return made


def _plain(name, number):
    def stand_in(*args, **kwargs):
        call = _guard.outside_call(number, [args, kwargs])
        try:
            return _value(name, *call.wait())[1]
        finally:
            call.close()
    return stand_in


def _generator(name, number):
    def stand_in(*args, **kwargs):
        call = _guard.outside_call(number, [args, kwargs])
        try:
            while True:
                is_last, value = _value(name, *call.wait())
                if is_last:
                    return value
                yield value
        finally:
            call.close()
    return stand_in


async def _answer(call):
    """Waits in the loop that runs, so that other tasks go on."""
    import asyncio

    loop = asyncio.get_running_loop()
    while (answer := call.take()) is None:
        ready = loop.create_future()
        loop.add_reader(call.fileno(), _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(call.fileno())
    return answer


def _set(ready):
    if not ready.done():
        ready.set_result(None)


def _coroutine(name, number):
    async def stand_in(*args, **kwargs):
        call = _guard.outside_call(number, [args, kwargs])
        try:
            return _value(name, *await _answer(call))[1]
        finally:
            call.close()
    return stand_in


def _async_generator(name, number):
    async def stand_in(*args, **kwargs):
        call = _guard.outside_call(number, [args, kwargs])
        try:
            while True:
                is_last, value = _value(name, *await _answer(call))
                if is_last:
                    return
                yield value
        finally:
            call.close()
    return stand_in


_KINDS = {"plain": _plain, "generator": _generator, "coroutine": _coroutine, "async generator": _async_generator}

# ---- answers -----------------------------------------------------------------------------------------

_LATE = 1  # enum tool_end


def _value(name, kind, text, reason):
    """(is it the last answer, value); raises what the tool raised, or why there is no answer."""
    if kind == "ended":
        raise (TimeoutError if reason == _LATE else ToolError)(f"{name}: the tool process {text}")
    value = _json.decode(text)
    if kind == "raised":
        raise _exception(name, value)
    return kind == "returned", value


def _exception(name, told):
    """The built-in class of that name; any other, and what cannot be made of its arguments, is a ToolError."""
    cls = getattr(builtins, told["type"], None)
    if isinstance(cls, type) and issubclass(cls, Exception) and told["arguments"] is not None:
        try:
            return cls(*told["arguments"])
        except TypeError:  # UnicodeDecodeError, which takes bytes
            pass
    return ToolError(f"{name}: {told['type']}: {told['text']}")
