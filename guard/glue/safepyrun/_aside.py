"""Answers to questions that come while a cell runs, given by another thread (guard/python/aside.c).

Everything is looked at and nothing is run (_static): IPython's completer and jedi call what the user wrote, they are
not made for two threads, and what they import could wait for an import of the cell's.
"""

import builtins

from safepyrun import _names, _static

__builtins__ = _static.OWN_BUILTINS
_ONLY_AST, _ALLOW_INCOMPLETE, _TOP_LEVEL_AWAIT = 0x400, 0x4000, 0x2000  # of the module `ast`


class Aside:
    """complete(), inspect() and is_complete() as a shell has them."""

    def __init__(self, shell):
        self._namespace = shell.namespace
        self._has_magics = shell.name == "ipython"

    def complete(self, code, cursor_pos):
        return _names.complete(self._namespace, code, cursor_pos, _static.all_members)

    def inspect(self, code, cursor_pos, detail_level):
        path = _names.path_at(code, cursor_pos)
        try:
            value = _static.resolve(self._namespace, vars(builtins), path)
        except _static.Unknown:
            return {"found": False, "data": {}, "metadata": {}}
        return {"found": True, "data": {"text/plain": _describe(path, value)}, "metadata": {}}

    def is_complete(self, code):
        if self._has_magics and any(line.lstrip()[:1] in ("%", "!", "?") or line.rstrip().endswith("?")
                                    for line in code.splitlines()):
            return {"status": "unknown"}
        try:
            compile(code, "<input>", "exec", _ONLY_AST | _ALLOW_INCOMPLETE | _TOP_LEVEL_AWAIT, True)
        except SyntaxError as error:
            if error.msg == "incomplete input":
                return {"status": "incomplete", "indent": _indent_after(code)}
            return {"status": "invalid"}
        except (ValueError, OverflowError):
            return {"status": "invalid"}
        # A block goes on until an empty line ends it.
        last = code.rpartition("\n")[2]
        if last.strip() and last[:1].isspace():
            return {"status": "incomplete", "indent": _indent_after(code)}
        return {"status": "complete"}


def _indent_after(code):
    last = code.rstrip("\n").rpartition("\n")[2]
    return last[:len(last) - len(last.lstrip())] + ("    " if last.rstrip().endswith(":") else "")


def _describe(name, value):
    """What `name?` shows, as far as it can be told."""
    found = {"Signature": _static.signature(value), "Type": _static.type_name(value),
             "String form": None if callable(value) else _static.text_of(value),
             "File": _static.file_of(value), "Docstring": _static.docstring(value) or "<no docstring>"}
    if found["Signature"]:
        found["Signature"] = name + found["Signature"]
    return "\n".join(f"{title}: {text}" for title, text in found.items() if text)
