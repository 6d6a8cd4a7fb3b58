"""Values as MIME bundles, and `display()`, for the shell without IPython."""

import sys

from safepyrun import _guard
from safepyrun._library import load

_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/pdf": "_repr_pdf_",
    "application/json": "_repr_json_",
    "application/javascript": "_repr_javascript_",
}


def _answer(value, method, **arguments):
    """What a rich representation returns; one that fails is left out, the text is always there."""
    try:
        return getattr(value, method)(**arguments)
    except Exception:
        return None


def _answers_everything(value):
    """Mocks and proxies have every attribute; IPython asks for the same impossible name."""
    try:
        return hasattr(value, "_ipython_canary_method_should_not_exist_")
    except Exception:
        return True


def _add(data, metadata, mime, answer):
    if isinstance(answer, tuple) and len(answer) == 2:
        answer, metadata[mime] = answer
    if answer is not None:
        data[mime] = answer


def mime_bundle(value):
    """(data, metadata); the text/plain form is repr(), whose exception is the caller's."""
    data, metadata = {}, {}
    if not isinstance(value, type) and not _answers_everything(value):
        if hasattr(type(value), "_repr_mimebundle_"):
            answer = _answer(value, "_repr_mimebundle_", include=None, exclude=None)
            if isinstance(answer, tuple) and len(answer) == 2:
                answer, extra = answer
                metadata.update(extra)
            data.update(answer or {})
        for mime, method in _METHODS.items():
            if mime not in data and hasattr(value, method):
                _add(data, metadata, mime, _answer(value, method))
    if "text/plain" not in data:
        data["text/plain"] = repr(value)
    return data, metadata


class DisplayHandle:
    """An output that can be replaced later."""

    def __init__(self, display_id):
        self.display_id = display_id

    def display(self, value, **options):
        display(value, display_id=self.display_id, **options)

    def update(self, value, **options):
        display(value, display_id=self.display_id, update=True, **options)


def display(*values, display_id=None, update=False, raw=False, metadata=None, clear=False):
    """Show values in the output of the cell, in the richest form that the front end knows."""
    if clear:
        clear_output(wait=True)
    if display_id is True:
        display_id = load("os").urandom(16).hex()
    transient = {"display_id": display_id} if display_id else {}
    for value in values:
        data, own = (value, {}) if raw else mime_bundle(value)
        content = {"data": data, "metadata": {**own, **(metadata or {})}, "transient": transient}
        _guard.publish("update_display_data" if update else "display_data", content)
    return DisplayHandle(display_id) if display_id and not update else None


def clear_output(wait=False):
    """Empty the output of the cell; with `wait`, once there is something new."""
    _guard.publish("clear_output", {"wait": bool(wait)})


def show_figures():
    """Figures that a cell left open are its output, as with IPython's inline backend."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    io = load("io")
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        png = io.BytesIO()
        figure.savefig(png, format="png", bbox_inches="tight")
        display({"image/png": png.getvalue(), "text/plain": repr(figure)}, raw=True)
    pyplot.close("all")
