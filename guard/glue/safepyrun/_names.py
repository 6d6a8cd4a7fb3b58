"""Completion and inspection without IPython, from the live namespace.

Neither calls anything of the user's but `__dir__`: attributes on the way are looked up statically, so
that a property with an effect is not run by pressing Tab.
"""

import builtins
import sys
import types

from safepyrun._library import load

_PLAIN_DESCRIPTORS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType,
                      types.WrapperDescriptorType, types.ClassMethodDescriptorType, classmethod,
                      staticmethod, types.MethodType)


class _Unknown(Exception):
    """The name leads nowhere without running code."""


def _dict_of(value):
    try:
        found = object.__getattribute__(value, "__dict__")
    except Exception:
        return {}
    return found if isinstance(found, (dict, types.MappingProxyType)) else {}


def _attribute(value, name):
    if not isinstance(value, type) and name in (own := _dict_of(value)):
        return own[name]
    classes = type.__dict__["__mro__"].__get__(value) if isinstance(value, type) else type(value).__mro__
    for cls in classes:
        if name in (own := type.__dict__["__dict__"].__get__(cls)):
            found = own[name]
            if isinstance(found, _PLAIN_DESCRIPTORS):
                return found.__get__(None if isinstance(value, type) else value, type(value))
            if hasattr(type(found), "__get__"):
                raise _Unknown(name)
            return found
    raise _Unknown(name)


def resolve(namespace, path):
    """The object that a dotted path names; raises _Unknown."""
    first, *rest = path.split(".")
    if first in namespace:
        value = namespace[first]
    elif hasattr(builtins, first):
        value = getattr(builtins, first)
    else:
        raise _Unknown(first)
    for name in rest:
        value = _attribute(value, name)
    return value


def _is_name(char):
    return char.isalnum() or char in "_."


def _path_before(code, end):
    """The dotted path that ends at `end`, and where it begins."""
    start = end
    while start > 0 and _is_name(code[start - 1]):
        start -= 1
    return code[start:end].lstrip("."), start


def _kind(value):
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type):
        return "class"
    return "function" if callable(value) else "instance"


def _attributes(namespace, base, prefix):
    try:
        value = resolve(namespace, base)
        names = [name for name in dir(value) if isinstance(name, str) and name.startswith(prefix)]
    except Exception:
        return {}
    if not prefix.startswith("_"):
        names = [name for name in names if not name.startswith("_")]
    kinds = {}
    for name in names:
        try:
            kinds[name] = _kind(_attribute(value, name))
        except Exception:
            kinds[name] = "property"
    return kinds


def _module_names(line, prefix):
    """After `import` and `from`, names of modules."""
    words = line.split()
    if not words or words[0] not in ("import", "from") or (words[0] == "from" and "import" in words):
        return {}
    known = set(sys.stdlib_module_names) | {name for name in sys.modules if "." not in name}
    return {name: "module" for name in known if name.startswith(prefix)}


def _global_names(namespace, prefix):
    kinds = {name: "keyword" for name in load("keyword").kwlist}
    kinds.update((name, _kind(value)) for name, value in vars(builtins).items())
    kinds.update((name, _kind(value)) for name, value in namespace.items() if isinstance(name, str))
    if not prefix.startswith("_"):
        kinds = {name: kind for name, kind in kinds.items() if not name.startswith("_")}
    return {name: kind for name, kind in kinds.items() if name.startswith(prefix)}


def complete(namespace, code, cursor):
    path, _ = _path_before(code, cursor)
    base, dot, prefix = path.rpartition(".")
    line = code[:cursor].rpartition("\n")[2]
    if dot:
        kinds = _attributes(namespace, base, prefix)
    else:
        kinds = _module_names(line[:len(line) - len(prefix)], prefix) or _global_names(namespace, prefix)
    matches = sorted(kinds)
    start = cursor - len(prefix)
    types_found = [{"start": start, "end": cursor, "text": name, "type": kinds[name], "signature": ""}
                   for name in matches]
    return {"matches": matches, "cursor_start": start, "cursor_end": cursor,
            "metadata": {"_jupyter_types_experimental": types_found}}


def path_at(code, cursor):
    """The dotted path at the cursor, or that of the call whose brackets it is in."""
    end = cursor
    while end < len(code) and _is_name(code[end]) and code[end] != ".":
        end += 1
    path, start = _path_before(code, end)
    depth = 0
    while not path and start > 0:
        start -= 1
        if code[start] == ")":
            depth += 1
        elif code[start] == "(":
            depth -= 1
            if depth < 0:
                path, start = _path_before(code, start)
                break
    return path.strip(".")


def _try(function, *arguments):
    try:
        return function(*arguments)
    except Exception:
        return None


def describe(name, value, detail_level):
    """What `name?` shows."""
    inspect = load("inspect")
    signature = _try(inspect.signature, value) if callable(value) else None
    lines = []
    if signature is not None:
        lines.append(f"Signature: {name}{signature}")
    lines.append(f"Type: {type(value).__name__}")
    if not callable(value) and not isinstance(value, types.ModuleType):
        text = _try(repr, value) or ""
        lines.append(f"String form: {text[:500]}")
    file = _try(inspect.getfile, value)
    if file:
        lines.append(f"File: {file}")
    source = _try(inspect.getsource, value) if detail_level > 0 else None
    if source:
        return "\n".join(lines + ["Source:", source])
    return "\n".join(lines + [f"Docstring: {_try(inspect.getdoc, value) or '<no docstring>'}"])


def inspect_at(namespace, code, cursor, detail_level):
    path = path_at(code, cursor)
    try:
        value = resolve(namespace, path)
    except Exception:
        return {"found": False, "data": {}, "metadata": {}}
    return {"found": True, "data": {"text/plain": describe(path, value, detail_level)}, "metadata": {}}
