"""The IPython shell: what the C guard calls, put to an IPython `InteractiveShell`.

This file only translates between `Shell` and IPython; the behaviour is in its siblings:
`_ipython_shell` (magics, nested cells, programs), `_ipython_display` (results and rich output),
`_ipython_errors` (tracebacks), `_ipython_answers` (completion, inspection), `_ipython_history`
(In and Out), `_ipython_kernel` (`get_ipython().kernel`) and `_comms` (widgets).
"""

import sys

import IPython

from safepyrun import _guard
from safepyrun._ipython_answers import complete, inspect
from safepyrun._ipython_errors import debug_error, error_parts
from safepyrun._ipython_shell import start_shell
from safepyrun._shell import Shell


class IPythonShell(Shell):
    """Cells with magics, rich display, widgets and IPython's tracebacks."""

    name = "ipython"

    def __init__(self):
        self.shell = start_shell()
        self.namespace = self.shell.user_ns
        self.banner = (f"Python {sys.version.splitlines()[0]}\n"
                       f"IPython {IPython.__version__} -- cells run under a guard\n")

    def step_aside(self):
        """In a template: set-up files of its guards find no IPython yet, as in any guard."""
        self.shell.hide()

    def move_in(self):
        """In a guard that was forked with this shell in it."""
        self.shell.adopt_session()

    def transform(self, source):
        return self.shell.transform_source(source)

    def transform_ast(self, module):
        return self.shell.transform_module(module)

    def cell_name(self, source, raw):
        # Tracebacks show a file of this name as `Cell In[n]`.
        return self.shell.compile.cache(source, self.shell.cell_number, raw_code=raw)

    def begin_cell(self, source, silent, store_history, execution_count):
        self.shell.begin_cell(source, silent, store_history, execution_count)

    def end_cell(self, success, result, error, silent, store_history):
        self.shell.end_cell(success, result, error, silent, store_history)

    def displayhook(self, value):
        self.shell.show_value(value)

    def mime_bundle(self, value):
        return self.shell.mime_bundle(value)

    def format_error(self, error):
        return error_parts(self.shell, error)

    def user_expressions(self, expressions):
        return self.shell.user_expressions(expressions)

    def take_payload(self):
        debug_error(self.shell)
        payload = list(self.shell.payload_manager.read_payload())
        self.shell.payload_manager.clear_payload()
        return payload

    def complete(self, code, cursor_pos):
        return complete(self.shell, code, cursor_pos)

    def inspect(self, code, cursor_pos, detail_level):
        return inspect(self.shell, code, cursor_pos, detail_level)

    def is_complete(self, code):
        status, spaces = self.shell.input_transformer_manager.check_complete(code)
        answer = {"status": status}
        if status == "incomplete":
            answer["indent"] = " " * (spaces or 0)
        return answer

    def comm(self, msg_type, content, metadata, buffers):
        manager = self.shell.kernel.comm_manager
        if manager is None:
            _guard.log("warning", f"{msg_type} without the Python package 'comm'")
            return
        manager.receive(msg_type, content, metadata, buffers)

    def shutdown(self):
        # IPython's own exit handler empties the namespace and removes its temporary files.
        sys.stdout.flush()
