"""The shell without IPython: plain Python cells, rich display, short tracebacks.

For Pythons that have no IPython, and for whoever wants a session to start as fast as Python itself.
"""

import builtins
import os
import sys

from safepyrun import _display, _guard, _names, _report
from safepyrun._library import load
from safepyrun._shell import Shell
from safepyrun._of_thread import OfThread
from safepyrun._short import frames, is_short, own_lines

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"
_PYTHON_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class _Exit:
    """`exit` and `quit`: they ask the front end to end the session."""

    def __init__(self, ask):
        self._ask = ask

    def __call__(self, keep_kernel=False):
        self._ask({"source": "ask_exit", "keepkernel": bool(keep_kernel)})

    def __repr__(self):
        return "Call it to end the session."


class PlainShell(Shell):
    name = "plain"

    #: of the running cell
    _count = OfThread(0)
    _keeps_history = OfThread(True)
    _payload = OfThread([])
    #: the last one that was given a name, and how many names it has
    _named_count = OfThread(0)
    _serial = OfThread(0)

    def __init__(self, without_ipython):
        self.without_ipython = without_ipython
        self.banner = f"Python {sys.version.splitlines()[0]}\nCells run under a guard.\n"
        self.namespace = sys.modules["__main__"].__dict__
        self.namespace.update(In=[""], Out={})
        self._sources = {}  # file name of a cell -> its text
        self._unstored = {}  # text of a request that was not stored -> its file name
        self._last_source = ""
        builtins.display = _display.display
        builtins.clear_output = _display.clear_output
        builtins.exit = builtins.quit = _Exit(lambda payload: self._payload.append(payload))
        # The inline backend of a notebook server is IPython's.
        if os.environ.get("MPLBACKEND", "module://").startswith("module://"):
            os.environ["MPLBACKEND"] = "agg"

    # ---- a cell --------------------------------------------------------------------------------

    def transform(self, source):
        line = source.strip()
        if line.endswith("?") and "\n" not in line and "#" not in line:
            return self._page(line.rstrip("?"), 1 if line.endswith("??") else 0)
        if line == "%guard" or line.startswith("%guard ") and "\n" not in line:
            print(_report.report(line[len("%guard"):]))
            return ""
        return source

    def _page(self, name, detail_level):
        found = _names.inspect_at(self.namespace, name, len(name), detail_level)
        data = found["data"] or {"text/plain": f"Object `{name}` not found."}
        self._payload.append({"source": "page", "data": data, "start": 0})
        return ""

    def cell_name(self, source, raw):
        # A front end asks the same thing after each cell, for years: its text need not be kept each time.
        if not self._keeps_history and source in self._unstored:
            return self._unstored[source]
        # Requests that are not stored share the count of the next one that is.
        self._serial = self._serial + 1 if self._count == self._named_count else 1
        self._named_count = self._count
        name = f"<cell {self._count}>" if self._serial == 1 else f"<cell {self._count}.{self._serial}>"
        self._sources[name] = source
        if not self._keeps_history:
            self._unstored[source] = name
        # A cell that imports something may print tracebacks by itself.
        if "linecache" in sys.modules or "import" in source:
            self._fill(load("linecache"))
        return name

    def _fill(self, linecache):
        """Tracebacks show the lines of cells; the module itself is loaded when somebody wants it."""
        for name, source in reversed(self._sources.items()):
            if name in linecache.cache:
                break
            linecache.cache[name] = len(source), None, source.splitlines(True), name

    def warm_up(self):
        for name in ("functools", "re", "tokenize", "traceback"):
            load(name)
            yield
        self._fill(load("linecache"))

    def begin_cell(self, source, silent, store_history, execution_count):
        self._count = execution_count
        self._payload = []
        self._keeps_history = store_history
        if not store_history:
            return
        space = self.namespace
        inputs = space["In"]
        inputs.extend([""] * (execution_count + 1 - len(inputs)))
        inputs[execution_count] = source
        space["_iii"], space["_ii"], space["_i"] = space.get("_ii", ""), space.get("_i", ""), self._last_source
        self._last_source = source
        space[f"_i{execution_count}"] = source

    def end_cell(self, success, result, error, silent, store_history):
        if not silent:
            _display.show_figures()

    def displayhook(self, value):
        if value is None:
            return
        if isinstance(value, _Exit):  # `exit` without brackets
            value()
            return
        data, metadata = _display.mime_bundle(value)
        space = self.namespace
        if self._keeps_history:
            space["___"], space["__"], space["_"] = space.get("__"), space.get("_"), value
            space["Out"][self._count] = space[f"_{self._count}"] = value
        _guard.publish("execute_result", {"execution_count": self._count, "data": data, "metadata": metadata})

    def mime_bundle(self, value):
        return _display.mime_bundle(value)

    def format_error(self, error):
        traceback = load("traceback")
        self._fill(load("linecache"))
        name = type(error).__name__
        lines = "".join(self._format(traceback, error)).rstrip("\n").split("\n")
        if self._is_magic(error):
            lines.append(self._whose(error.text.split()[0]))
        return name, _text_of(error), [_coloured(line, name) for line in lines]

    def _whose(self, word):
        if word in ("%guard", "%rewind", "%trial", "%%trial"):      # the kernel process has not known it for one
            return "%guard [WORD], %rewind [N], %trial STATEMENT and %%trial are each the only thing in their cell."
        return f"Lines that begin with % or ! are IPython's; this session runs without IPython: {self.without_ipython}"

    def _is_magic(self, error):
        return (type(error) is SyntaxError and error.filename in self._sources
                and type(error.text) is str and error.text.lstrip().startswith(("%", "!")))

    def _format(self, traceback, error):
        if not is_short(error):
            return traceback.format_exception(error)
        shown = frames(error.__traceback__, self._is_cells)
        if shown is None:       # refused before anything ran
            return traceback.format_exception_only(error)
        with own_lines(error, self._is_cells):
            return traceback.format_exception(type(error), error, shown)

    def _is_cells(self, frame):
        return frame.f_code.co_filename in self._sources

    def user_expressions(self, expressions):
        return {name: self._user_expression(source) for name, source in expressions.items()}

    def _user_expression(self, source):
        try:
            data, metadata = _display.mime_bundle(_guard.evaluate(source))
            return {"status": "ok", "data": data, "metadata": metadata}
        except Exception as error:
            name, text, lines = self.format_error(error)
            return {"status": "error", "ename": name, "evalue": text, "traceback": lines}

    def take_payload(self):
        payload, self._payload = self._payload, []
        return payload

    # ---- questions about code --------------------------------------------------------------------

    def complete(self, code, cursor_pos):
        return _names.complete(self.namespace, code, cursor_pos)

    def inspect(self, code, cursor_pos, detail_level):
        return _names.inspect_at(self.namespace, code, cursor_pos, detail_level)

    def is_complete(self, code):
        compiler = load("codeop").CommandCompiler()
        compiler.compiler.flags |= _PYTHON_TOP_LEVEL_AWAIT
        try:
            complete = compiler(code, "<input>", "exec") is not None
        except (SyntaxError, ValueError, OverflowError):
            return {"status": "invalid"}
        last = code.rsplit("\n", 1)[-1]
        indent = last[:len(last) - len(last.lstrip())]
        # A block goes on until an empty line ends it.
        if complete and not (indent and last.strip()):
            return {"status": "complete"}
        return {"status": "incomplete", "indent": indent + ("    " if last.rstrip().endswith(":") else "")}

    def comm(self, msg_type, content, metadata, buffers):
        """Widgets need IPython's packages: whoever opens a comm is told that nobody is there."""
        if msg_type == "comm_open":
            _guard.publish("comm_close", {"comm_id": content.get("comm_id", ""), "data": {}})

    def shutdown(self):
        pass


def _text_of(error):
    try:
        return str(error)
    except Exception:
        return "<the text of this exception failed>"


def _coloured(line, name):
    head, _, rest = line.partition(":")
    if head.rpartition(".")[2] == name:
        return f"{_RED}{head}{_PLAIN}{':' if rest else ''}{rest}"
    return line
