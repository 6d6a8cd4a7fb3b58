"""Completion and inspection: questions about code that must not run it."""


from IPython.utils.tokenutil import token_at_cursor

from safepyrun import _guard


def complete(shell, code, cursor_pos):
    try:
        found = _completions(shell, code, cursor_pos)
    except Exception as error:
        _guard.log("debug", f"completion failed: {type(error).__name__}")
        found = []
    start, end = (found[0].start, found[0].end) if found else (cursor_pos, cursor_pos)
    types = [{"start": item.start, "end": item.end, "text": item.text, "type": item.type,
              "signature": item.signature} for item in found]
    return {"matches": [item.text for item in found], "cursor_start": start, "cursor_end": end,
            "metadata": {"_jupyter_types_experimental": types}}


def _completions(shell, code, cursor_pos):
    from IPython.core.completer import provisionalcompleter, rectify_completions
    completer = shell.Completer
    with provisionalcompleter():
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


def _calm_jedi():
    """Jedi would run properties and __getitem__ of the user's objects to learn their type."""
    from jedi import settings
    settings.allow_unsafe_interpreter_executions = False


def inspect(shell, code, cursor_pos, detail_level):
    data = {}
    try:
        data = _description(shell, code, cursor_pos, detail_level)
    except KeyError:
        pass        # IPython's way of saying that there is no such name
    except Exception as error:
        _guard.log("debug", f"inspection failed: {type(error).__name__}")
    return {"found": bool(data), "data": data, "metadata": {}}


def _description(shell, code, cursor_pos, detail_level):
    name = token_at_cursor(code, cursor_pos)
    data = dict(shell.object_inspect_mime(name, detail_level=1 if detail_level else 0))
    if not shell.enable_html_pager:
        data.pop("text/html", None)
    return data
