"""In a template: what its guards will do in any case, done once before they are forked.

First uses fill caches: of types, fonts, names, specialised byte code. What is full already needs no page of a
guard's own, and no time of whoever waits for it. Nothing that is done here stays: figures are closed, no name is bound.
Only modules that are loaded are rehearsed, and none that would start a thread.
"""

import ast
import sys

from safepyrun import _json

_POLICY = 'preset = "workspace"\nok_dests = ["."]\n[limits]\ntimeout_seconds = 60\n'
_REQUEST = ('{"code": "1 + 1", "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": true, '
            '"stop_on_error": true}')


def rehearse(shell):
    """shell: the InteractiveShell that is ready for the guards, or None."""
    for part in (_tables, _figures, _frames):
        _try(part)
    if shell is not None:
        _try(_cells, shell)


def _try(part, *arguments):
    """A library that fails in this fails in the cell as well, where somebody reads it."""
    try:
        part(*arguments)
    except Exception as error:
        print(f"{part.__name__[1:]} cannot be rehearsed: {error!r}", file=sys.stderr, flush=True)


def _frames():
    import tomllib
    tomllib.loads(_POLICY)
    _json.encode(_json.decode(_REQUEST))


def _tables():
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    table = pandas.DataFrame({"a": [1, 2, 3], "b": [1.5, None, 2.5], "c": ["x", "y", None]})
    repr(table)
    table._repr_html_()
    repr(table["a"].sum())
    repr(table[table["b"] > 1])


def _figures():
    if "matplotlib.backends.backend_agg" not in sys.modules:
        return
    import io
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for draw in (_draw_lines, _draw_table):
        figure = Figure()
        draw(figure.subplots())
        FigureCanvasAgg(figure).print_figure(io.BytesIO(), bbox_inches="tight")
    _forget_fonts()


def _forget_fonts():
    """matplotlib lets go of them after a fork: each guard would write to all that it frees."""
    remembered = getattr(sys.modules["matplotlib.font_manager"], "_get_font", None)
    if hasattr(remembered, "cache_clear"):
        remembered.cache_clear()


def _draw_lines(axes):
    axes.plot([1, 3, 2], label="a")
    axes.set_title("a")
    axes.set_xlabel("x")
    axes.legend()


def _draw_table(axes):
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        pandas.DataFrame({"a": [1, 3, 2], "b": [2.5, 1.5, 2]}).plot(ax=axes)


def _cells(shell):
    from safepyrun._ipython_errors import error_content

    for source in ("1 + 1", "%pwd", "import os\nfor i in range(3):\n    print(i)\n"):
        shell.transform_cell(source)
        shell.transform_ast(ast.parse("1 + 1"))
    for value in (2, "text", [1, 2.5], {"a": None}):
        shell.display_formatter.format(value)
    if "pandas" in sys.modules:
        shell.display_formatter.format(sys.modules["pandas"].DataFrame({"a": [1]}))
    try:
        1 / 0
    except ZeroDivisionError as error:
        error_content(shell, error)
