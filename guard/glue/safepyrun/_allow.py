"""allow(): which functions may do what the cells that call them may not.

Finds the function behind a name, a method or a class and tells the C code (`_guard.register_tool`), which knows
it by identity from then on. Cells cannot: the C code refuses.
"""

import builtins
import collections.abc
import functools
import sys
import types

from safepyrun import _guard

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType)


def allow(*tools, allow_policy=None, may_change=(), outside=False, timeout_seconds=None):
    """Let these functions do what they do, also when a cell calls them.

    A function, method or callable object; {class, module or object: names}, where a name is a str, a pair
    (name, policy) or ... for all public ones; {function: policy}; a str like 'numpy.array' or 'greet'.
    A policy is called as policy(obj, args, kwargs, data) for each call that needs a right, and raises
    PermissionError to refuse. May be used as a decorator. may_change: names of globals that the function itself
    changes; all others have to stay what they are when the guard closes. outside: functions of a set-up file that run in a
    process of their own, outside of the OS ring, each call for at most timeout_seconds; what is returned stands in for them.
    """
    if outside and _guard.outside_role() != "host":
        return _allow_outside(tools, allow_policy, timeout_seconds, sys._getframe(1).f_globals)
    register = _Registration(allow_policy, tuple(may_change), sys._getframe(1).f_globals)
    for tool in tools:
        register.one(tool)
    if len(tools) == 1 and callable(tools[0]):
        return tools[0]
    return None if tools else functools.partial(allow, allow_policy=allow_policy, may_change=may_change)


def _allow_outside(tools, policy, timeout_seconds, namespace):
    """Functions, by themselves or as {function: policy}: what else allow() takes is judged where it is called."""
    from safepyrun import _outside

    _guard.ask_to_register()
    if not tools:
        return functools.partial(allow, allow_policy=policy, outside=True, timeout_seconds=timeout_seconds)
    made = []
    for tool in tools:
        pairs = tool.items() if isinstance(tool, dict) else [(tool, policy)]
        for function, its_policy in pairs:
            if isinstance(function, str):
                function = _Registration(None, (), namespace).resolve(function)
            if isinstance(function, (type, types.ModuleType)) or not callable(its_policy or print):
                raise TypeError("allow(outside=True) takes functions, names of functions and {function: policy}")
            made.append(_outside.register(function, its_policy, timeout_seconds))
    return made[0] if len(made) == 1 else None


def _public_names(owner):
    names = getattr(owner, "__all__", None) if isinstance(owner, types.ModuleType) else None
    return [name for name in names or dir(owner) if not name.startswith("_") and callable(getattr(owner, name, None))]


class _Registration:
    """One call of allow()."""

    def __init__(self, policy, may_change, namespace):
        self.policy, self.may_change, self.namespace = policy, may_change, namespace

    def one(self, tool):
        if isinstance(tool, str):
            self.named(tool)
        elif isinstance(tool, tuple):
            raise TypeError("allow(): a function and its check are written as allow({function: check}), or "
                            "allow(function, allow_policy=check)")
        elif isinstance(tool, dict):
            for owner, wanted in tool.items():
                self.table(owner, wanted)
        else:
            self.object(tool, self.policy)

    # ---- the forms ------------------------------------------------------------------------------

    def named(self, name):
        owner, _, last = name.rpartition(".")
        if owner:
            return self.member(self.resolve(owner), last, self.policy)
        return self.object(self.resolve(name), self.policy)

    def resolve(self, name):
        """A name of the caller's or a built-in one; else the longest module that a dotted name begins with."""
        first, *rest = name.split(".")
        if first in self.namespace:
            found = self.namespace[first]
        elif hasattr(builtins, first):
            found = getattr(builtins, first)
        else:
            found, rest = self.find_module([first, *rest])
        for attribute in rest:
            found = getattr(found, attribute)
        return found

    def find_module(self, parts):
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            try:
                __import__(name)
            except ModuleNotFoundError:
                continue
            return sys.modules[name], parts[end:]
        raise NameError(f"allow(): there is no {'.'.join(parts)!r}")

    def table(self, owner, wanted):
        if isinstance(owner, str):
            owner = self.resolve(owner)
        if callable(wanted) and not isinstance(wanted, type(...)):
            return self.object(owner, wanted)
        for item in _public_names(owner) if wanted is ... else _listed(wanted):
            name, policy = item if isinstance(item, tuple) else (item, self.policy)
            for one in _public_names(owner) if name is ... else [name]:
                self.member(owner, one, policy)
        return None

    # ---- what is meant --------------------------------------------------------------------------

    def object(self, tool, policy):
        _refuse_choosing(tool)
        if isinstance(tool, types.MethodType):
            return self.method(tool, policy)
        owner = getattr(tool, "__objclass__", None)
        if owner is not None and isinstance(tool, types.MethodDescriptorType):
            return self.add(tool, "method", owner, policy, f"{owner.__name__}.{tool.__name__}")
        if isinstance(tool, types.BuiltinFunctionType):
            return self.builtin(tool, policy)
        if isinstance(tool, types.FunctionType):
            return self.function(tool, policy)
        if isinstance(tool, type):
            return self.make(tool, policy)
        if not callable(tool):
            raise TypeError(f"allow(): {tool!r} cannot be called")
        return self.instance(tool, policy)

    def function(self, function, policy):
        """A function of a class ("Shell.date") counts for objects of that class."""
        path = function.__qualname__.rpartition(".")[0]
        owner = sys.modules.get(function.__module__)
        for part in path.split(".") if path and "<locals>" not in path else ():
            owner = getattr(owner, part, None)
        if path and isinstance(owner, type) and function in vars(owner).values():
            return self.add(function, "method", owner, policy, function.__qualname__)
        return self.add(function, "function", None, policy, function.__qualname__)

    def method(self, method, policy):
        owner, function = method.__self__, method.__func__
        kind = "class" if isinstance(owner, type) else "instance"
        return self.add(function, kind, owner, policy, function.__qualname__)

    def builtin(self, function, policy):
        owner = function.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            return self.add(function, "function", None, policy, function.__qualname__)
        return self.add(function, "instance", owner, policy, function.__qualname__)

    def make(self, cls, policy):
        """A class: making an object of it."""
        self.add(cls, "function", None, policy, cls.__qualname__)
        for name in ("__new__", "__init__"):
            function = getattr(cls, name)
            if isinstance(function, types.FunctionType):
                kind = "class" if name == "__new__" else "method"
                self.add(function, kind, cls, policy, cls.__qualname__)

    def instance(self, tool, policy):
        """A callable object: itself, and its __call__ when it is called with it."""
        call = getattr(type(tool), "__call__", None)
        name = getattr(tool, "__qualname__", None) or type(tool).__qualname__
        self.add(tool, "function", None, policy, name)
        if isinstance(call, types.FunctionType):
            self.add(call, "instance", tool, policy, name)
        elif isinstance(getattr(tool, "__wrapped__", None), types.FunctionType):  # functools.lru_cache
            self.function(tool.__wrapped__, policy)

    def member(self, owner, name, policy):
        if isinstance(owner, types.ModuleType):
            return self.object(getattr(owner, name), policy)
        if not isinstance(owner, type):
            return self.object_member(owner, name, policy)
        kind, found = "method", _static(owner, name)
        _refuse_choosing(found)
        if isinstance(found, classmethod):
            kind, found = "class", found.__func__
        elif isinstance(found, staticmethod):
            return self.object(found.__func__, policy)
        elif isinstance(found, property):
            found = found.fget
        return self.add_if_callable(found, kind, owner, policy, f"{owner.__name__}.{name}")

    def object_member(self, owner, name, policy):
        value = getattr(owner, name)
        if isinstance(value, types.MethodType):
            return self.method(value, policy)
        return self.object(value, policy)

    # ---- telling --------------------------------------------------------------------------------

    def add_if_callable(self, found, kind, owner, policy, name):
        """Data and what is computed in C (DataFrame.shape) need no right."""
        if isinstance(found, _FUNCTIONS):
            self.add(found, kind, owner, policy, name)

    def add(self, tool, kind, owner, policy, name):
        _guard.register_tool(name, tool, kind, owner, policy, self.may_change or None)
        wrapped = vars(tool).get("__wrapped__") if isinstance(tool, types.FunctionType) else None
        if isinstance(wrapped, types.FunctionType):  # what a decorator has wrapped, a context manager's body
            self.add(wrapped, kind, owner, policy, name)


def _listed(wanted):
    return [wanted] if isinstance(wanted, (str, tuple)) else wanted


def _refuse_choosing(tool):
    """functools.singledispatch and singledispatchmethod: below them nothing has a tool's rights but the tools that they call."""
    if not isinstance(tool, type) and callable(getattr(tool, "register", None)) and (
            isinstance(tool, functools.singledispatchmethod) or hasattr(tool, "__wrapped__")):
        raise TypeError(f"allow(): {tool!r} calls what is registered for the type of its argument, and cells can register, too: "
                        "allow() the functions that you register, not the one that chooses")


def _static(cls, name):
    for base in cls.__mro__:
        if name in vars(base):
            return vars(base)[name]
    raise AttributeError(f"allow(): {cls.__name__} has no {name!r}")


# ---- what others are built of ----------------------------------------------------------------------


def allow_write_types(*types_):
    """Kept for programs of the earlier generation: changing objects in place is not guarded here."""
    for cls in types_:
        if not isinstance(cls, type):
            raise TypeError(f"allow_write_types(): {cls!r} is no class")


class _Imports(collections.abc.MutableSet):
    """Names of modules that may do while they are imported what cells may not; also callable. Kept by the C code."""

    __slots__ = ()

    def __call__(self, *names):
        for name in names:
            self.add(name)

    def add(self, name):
        _guard.set_import(name, True)

    def discard(self, name):
        _guard.set_import(name, False)

    def __contains__(self, name):
        return name in _guard.allowed_imports()

    def __iter__(self):
        return iter(_guard.allowed_imports())

    def __len__(self):
        return len(_guard.allowed_imports())

    def __repr__(self):
        return f"allow_imports{_guard.allowed_imports()!r}"


allow_imports = getattr(_guard, "seal", lambda cls: cls)(_Imports)()


def frame_args(frame, obj=None):
    """(args, kwargs) with which the function of this frame was called, as copies; `obj` is left out."""
    return _guard.frame_args(frame, obj)


def set_data(**values):
    """Values that every policy finds in its `data`, beside ok_dests."""
    _guard.set_tool_data(values)
