"""Completion and inspection: questions about code that must not run it.

Attributes of what has a value already (`os.pa`, `df.`) are listed as the plain shell lists them: jedi, which would infer
the type of each of them, takes 20 ms for a module and 400 for a table.
"""

import contextlib
import functools
import re
import sys
import types

from IPython.utils.tokenutil import token_at_cursor

from safepyrun import _guard, _names, _static

#: what may have a place in a file; for anything else it is that of its class
_HAVE_A_SOURCE = (type, types.FunctionType, types.MethodType, types.ModuleType, types.BuiltinFunctionType)
_PATH = re.compile(r"(?:^|[^\w.\])}])(([^\W\d]\w*)(?:\.[^\W\d]\w*)*\.\w*)$")
#: where a name means something else than an attribute: texts, magics, programs, comments, names of modules
_ELSEWHERE = re.compile(r"""["'#]|^\s*(?:[%!?]|import\b|from\b)""")


def _is_bound_in(code, name):
    """Whether the cell itself may give the name another value before it runs this far."""
    bound = (rf"\b(?:import|as|for|def|class|global|nonlocal)\s[^\n=]*\b{name}\b"
             rf"|\b{name}\b[^\n=(]*(?<![=!<>])=(?!=)|\b{name}\s*:=")
    return re.search(bound, code) is not None


def _attributes(shell, code, cursor_pos):
    """The answer for an attribute of a live object; None when this is something else."""
    before = code[:cursor_pos]
    line = before.rpartition("\n")[2]
    path = _PATH.search(line)
    completer = shell.Completer
    if (path is None or _ELSEWHERE.search(line) or '"""' in before or "'''" in before
            or getattr(completer, "custom_matchers", ()) or _is_bound_in(before[:len(before) - len(path[1])], path[2])):
        return None
    answer = _names.complete(shell.user_ns, code, cursor_pos)
    return answer if answer["matches"] else None


def complete(shell, code, cursor_pos):
    answer = _attributes(shell, code, cursor_pos)
    if answer is not None:
        return answer
    try:
        found = _completions(shell, code, cursor_pos)
    except KeyboardInterrupt:       # it has taken too long (kernel/execution/hurry)
        return _names.complete(shell.user_ns, code, cursor_pos, _static.all_members)
    except Exception as error:
        _guard.log("debug", f"completion failed: {type(error).__name__}")
        found = []
    start, end = (found[0].start, found[0].end) if found else (cursor_pos, cursor_pos)
    # IPython's evaluator begins its answers with the dot (".bar"), and front ends would list them so.
    dot = int(code[start:start + 1] == "." and all(item.text.startswith(".") for item in found))
    start += dot
    types = [{"start": start, "end": item.end, "text": item.text[dot:], "type": item.type,
              "signature": item.signature} for item in found]
    return {"matches": [item.text[dot:] for item in found], "cursor_start": start, "cursor_end": end,
            "metadata": {"_jupyter_types_experimental": types}}


def _completions(shell, code, cursor_pos):
    from IPython.core.completer import provisionalcompleter, rectify_completions
    completer = shell.Completer
    _calm_evaluator()
    _calm_listing()
    with provisionalcompleter(), _without_hidden(completer), _without_words():
        with_jedi = completer.use_jedi
        if with_jedi:
            _calm_jedi()
        found = list(rectify_completions(code, completer.completions(code, cursor_pos)))
        if found or not with_jedi:
            return found
        # IPython's own evaluator knows which libraries' attributes are safe to ask (df.column.<tab>).
        completer.use_jedi = False
        try:
            return list(rectify_completions(code, completer.completions(code, cursor_pos)))
        finally:
            completer.use_jedi = True


@contextlib.contextmanager
def _without_hidden(completer):
    """The completer asks whatever it meets for its class; what answers with code of its own is no value to it."""
    namespace = completer.namespace
    judged = {}         # by id: a class may have a hash of its own
    for value in _static.members(namespace).values():
        if id(type(value)) not in judged:
            judged[id(type(value))] = _static.hides_itself(value)
    hidden = [name for name, value in _static.members(namespace).items() if judged.get(id(type(value)))]
    if hidden:
        completer.namespace = {**namespace, **dict.fromkeys(hidden)}
    try:
        yield
    finally:
        completer.namespace = namespace


@contextlib.contextmanager
def _without_words():
    """IPython prints what a matcher has raised: not that it was interrupted for taking too long."""
    show = sys.excepthook
    sys.excepthook = lambda kind, error, place: kind is KeyboardInterrupt or show(kind, error, place)
    try:
        yield
    finally:
        sys.excepthook = show


@functools.cache
def _calm_jedi():
    """Jedi would run properties, __getitem__, __iter__ and __getattr__ of the user's objects to learn their type."""
    from jedi import settings
    from jedi.inference.compiled import access, mixed
    settings.allow_unsafe_interpreter_executions = False
    # In place of iter(): a class says by itself whether its objects can be gone through.
    access.DirectObjectAccess.has_iter = lambda self: hasattr(type(self._obj), "__iter__")
    begin = access.DirectObjectAccess.__init__
    access.DirectObjectAccess.__init__ = lambda self, state, value: begin(
        self, state, None if _static.hides_itself(value) else value)
    access.DirectObjectAccess.dir = lambda self: _static.names_of(self._obj)
    for name, otherwise in (("get_key_paths", []), ("py__iter__list", []), ("py__bool__", True)):
        _leave_to_user(access.DirectObjectAccess, name, otherwise)
    check = getattr(mixed, "_get_object_to_check", None)
    if check is not None:
        # It asks whatever it meets for __wrapped__, which functions alone have.
        mixed._get_object_to_check = lambda value: check(value if isinstance(value, _HAVE_A_SOURCE) else type(value))


def _leave_to_user(owner, name, otherwise):
    """A method of jedi's that asks an object: not when what it asks is the user's own."""
    ask = getattr(owner, name, None)
    if ask is not None:
        setattr(owner, name, lambda self: otherwise if _static.lists_keys_itself(self._obj) else ask(self))


@functools.cache
def _calm_listing():
    """IPython's completer would call `__dir__` and, after a bracket, `_ipython_key_completions_` and keys()."""
    from IPython.core import completer
    completer.dir2 = lambda value: sorted({name for name in _static.names_of(value) if type(name) is str})
    keys = completer.IPCompleter._get_keys
    completer.IPCompleter._get_keys = staticmethod(lambda value: _keys_of(value, keys))


def _keys_of(value, ask):
    if not _static.lists_keys_itself(value):
        return ask(value)
    return list(dict.keys(value)) if _static.is_a(value, dict) else []


@functools.cache
def _calm_evaluator():
    """IPython's would call list(), str() and other classes: list(rows)[0].<tab> used the iterator `rows` up."""
    try:
        from IPython.core.guarded_eval import EVALUATION_POLICIES
        for policy in EVALUATION_POLICIES.values():
            calls = getattr(policy, "allowed_calls", None)
            if isinstance(calls, set):
                calls.difference_update([call for call in calls if isinstance(call, type)])
    except ImportError:
        pass        # an IPython that has no evaluator


def inspect(shell, code, cursor_pos, detail_level):
    data = {}
    try:
        data = _description(shell, code, cursor_pos, detail_level)
    except KeyError:
        pass        # IPython's way of saying that there is no such name
    except (Exception, KeyboardInterrupt) as error:
        _guard.log("debug", f"inspection failed: {type(error).__name__}")
    return {"found": bool(data), "data": data, "metadata": {}}


def _description(shell, code, cursor_pos, detail_level):
    name = token_at_cursor(code, cursor_pos)
    data = dict(shell.object_inspect_mime(name, detail_level=1 if detail_level else 0))
    if not shell.enable_html_pager:
        data.pop("text/html", None)
    return data
