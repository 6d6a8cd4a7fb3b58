"""Completion and inspection without IPython, from the live namespace.

Completion calls nothing of the user's, inspection `__repr__`: attributes on the way are looked up statically, so
that a property with an effect is not run by pressing Tab.
"""

import builtins
import sys
import types

from safepyrun._library import load
from safepyrun._static import KEYWORDS, OWN_BUILTINS, all_members, kind_of, members, names_of, resolve

__builtins__ = OWN_BUILTINS


def _is_name(char):
    return char.isalnum() or char in "_."


def _path_before(code, end):
    """The dotted path that ends at `end`, and where it begins."""
    start = end
    while start > 0 and _is_name(code[start - 1]):
        start -= 1
    return code[start:end].lstrip("."), start


def _attributes(namespace, base, prefix, list_names):
    try:
        value = resolve(namespace, vars(builtins), base)
        names = [name for name in list_names(value) if type(name) is str and name.startswith(prefix)]
    except Exception:
        return {}
    if not prefix.startswith("_"):
        names = [name for name in names if not name.startswith("_")]
    known = all_members(value)
    return {name: kind_of(known[name]) if name in known else "property" for name in names}


def _module_names(line, prefix):
    """After `import` and `from`, names of modules."""
    words = line.split()
    if not words or words[0] not in ("import", "from") or (words[0] == "from" and "import" in words):
        return {}
    known = set(sys.stdlib_module_names) | {name for name in members(sys.modules) if "." not in name}
    return {name: "module" for name in known if name.startswith(prefix)}


def _global_names(namespace, prefix):
    kinds = dict.fromkeys(KEYWORDS, "keyword")
    kinds.update((name, kind_of(value)) for name, value in members(vars(builtins)).items())
    kinds.update((name, kind_of(value)) for name, value in members(namespace).items())
    if not prefix.startswith("_"):
        kinds = {name: kind for name, kind in kinds.items() if not name.startswith("_")}
    return {name: kind for name, kind in kinds.items() if name.startswith(prefix)}


def complete(namespace, code, cursor, list_names=names_of):
    """The content of complete_reply; list_names(value) lists attributes."""
    path, _ = _path_before(code, cursor)
    base, dot, prefix = path.rpartition(".")
    line = code[:cursor].rpartition("\n")[2]
    if dot:
        kinds = _attributes(namespace, base, prefix, list_names)
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
        value = resolve(namespace, vars(builtins), path)
        text = describe(path, value, detail_level)
    except (Exception, KeyboardInterrupt):      # the second: it has taken too long (kernel/execution/hurry)
        return {"found": False, "data": {}, "metadata": {}}
    return {"found": True, "data": {"text/plain": text}, "metadata": {}}
