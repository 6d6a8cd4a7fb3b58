"""What the debugger says of one value: its text, its type, and what is inside of it.

Every function here is marked as user code before it runs: a value may have methods that do anything, built-in functions
that are told apart from this file's own work by the frame they run in among them.
"""

from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

_NAME, _MRO, _DICT = (type.__dict__[name].__get__ for name in ("__name__", "__mro__", "__dict__"))
#: by identity: a metaclass may have an == of its own
_FUNCTIONS = frozenset(map(id, (FunctionType, BuiltinFunctionType, MethodType)))
_PLAIN = _FUNCTIONS.union(map(id, (int, float, complex, bool, str, bytes, type(None), type(...), range, ModuleType)))
_LISTS = (list, tuple, set, frozenset)
_FEW, _DEEP = 30, 4


def exact(text):
    """A str of a subclass answers as it likes; this is its text."""
    return str.__str__(text) if type(text) is str else "".join(str.__iter__(text))


def is_function(value):
    return id(type(value)) in _FUNCTIONS


def is_class(value):
    return issubclass(type(value), type)


def pairs(space):
    """(name, value) of a namespace, which in a class body may be any mapping."""
    return list(space.items())


def value_named(name, *spaces):
    """[the value], or [] when no space has it."""
    for space in spaces:
        if name in space:
            return [space[name]]
    return []


def error_text(error, most):
    try:
        text = exact(str(error))
    except BaseException:
        text = "<the text of this exception failed>"
    name = _NAME(type(error))
    return (f"{name}: {text}" if text else name)[:most]


def text_of(value, most, depth=0):
    """repr(), but of a container's first values only; an exception is the caller's."""
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value[:most])
    if kind is int and value.bit_length() > 10000:
        return f"<a number of {value.bit_length()} bits>"
    if kind is dict:
        return _inside(value, "{", "}", depth, lambda key: f"{text_of(key, 200, depth + 1)}: {text_of(value[key], 200, depth + 1)}")
    if kind is list or kind is tuple and len(value) != 1:
        return _inside(value, *("[]" if kind is list else "()"), depth, lambda item: text_of(item, 200, depth + 1))
    if (kind is set or kind is frozenset) and len(value) > _FEW:
        return f"{'frozenset(' if kind is frozenset else ''}{_inside(value, '{', '}', depth, lambda item: text_of(item, 200, depth + 1))}" \
               f"{')' if kind is frozenset else ''}"
    return exact(repr(value))


def _inside(value, opening, closing, depth, text):
    if depth >= _DEEP and value:
        return f"{opening}...{closing}"
    shown = [text(item) for item, _ in zip(value, range(_FEW))]
    if len(value) > _FEW:
        shown.append("...")
    return f"{opening}{', '.join(shown)}{closing}"


def describe(value, most):
    """(text, name of the type, whether there is something inside)"""
    kind = type(value)
    try:
        text = text_of(value, most)
    except KeyboardInterrupt:
        text = "<its text took too long>"
    except BaseException as error:
        text = f"<its text failed: {_NAME(type(error))}>"
    if len(text) > most:
        text = f"{text[:most]}... ({len(text)} characters)"
    return text, _NAME(kind), id(kind) not in _PLAIN and not is_class(value)


def attributes(value, expression, most):
    """(name, value, expression) of what is inside."""
    kind = type(value)
    inside = []
    if issubclass(kind, dict):
        inside = [(text_of(key, 200), item, f"{expression}[{key!r}]" if type(key) in (str, int) else "")
                  for (key, item), _ in zip(dict.items(value), range(most))]
    elif issubclass(kind, (list, tuple)):
        base = list if issubclass(kind, list) else tuple
        inside = [(str(at), item, f"{expression}[{at}]") for at, item in zip(range(most), base.__iter__(value))]
    elif issubclass(kind, (set, frozenset)):
        base = set if issubclass(kind, set) else frozenset
        inside = [(str(at), item, "") for at, item in zip(range(most), base.__iter__(value))]
    return inside + [(name, item, f"{expression}.{name}") for name, item in _own_attributes(value, kind)][:most]


def _own_attributes(value, kind):
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    found = [(name, item) for name, item in list(own.items()) if type(name) is str] if type(own) is dict else []
    for base in _MRO(kind):
        slots = _DICT(base).get("__slots__", ())
        for name in (slots,) if type(slots) is str else tuple(slots):
            try:
                found.append((name, object.__getattribute__(value, name)))
            except AttributeError:
                pass        # not assigned
    return found
