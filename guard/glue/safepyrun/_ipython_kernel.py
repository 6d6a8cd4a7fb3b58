"""`get_ipython().kernel`: the part of ipykernel's kernel object that libraries ask for.

There is no kernel in this process: sockets, the key and the parent headers are in the kernel process.
What stands here answers from the guard's own knowledge of the current cell.
"""

import logging
import sys

from safepyrun import _guard, _ipykernel_names

#: cells that a parent header may still name; older ones get the current cell
CELLS_REMEMBERED = 4096


class Session:
    """The few things that libraries do with a session: read its id, send a message."""

    username = "username"

    @property
    def session(self):
        return _guard.cell_context().get("session", "")

    def msg(self, msg_type, content=None, parent=None, header=None, metadata=None):
        return {"header": {"msg_type": msg_type, "session": self.session}, "msg_type": msg_type,
                "parent_header": parent or {}, "metadata": metadata or {}, "content": content or {}}

    def send(self, stream, msg_or_type, content=None, parent=None, ident=None, buffers=None,
             track=False, header=None, metadata=None):
        message = msg_or_type
        if isinstance(message, str):
            message = self.msg(message, content, parent, header, metadata)
        _guard.publish(message["header"]["msg_type"], message["content"], message["metadata"],
                       list(buffers or ()))
        return message


class Kernel:
    """Parent headers stand for cell numbers: a header that came from here can be handed back."""

    implementation = "safepyrun-kernel"
    language = "python"
    language_version = ".".join(map(str, sys.version_info[:3]))
    #: what ipykernel has here and some libraries test for
    eventloop = None
    iopub_socket = None
    control_thread = None

    def __init__(self, shell):
        self.shell = shell
        self.log = logging.getLogger("safepyrun")
        self.session = Session()
        self.comm_manager = self._start_comms()
        self._cells = {}

    def _start_comms(self):
        try:
            from safepyrun import _comms
        except ImportError:     # no package comm: no widgets
            _ipykernel_names.install(type(self.shell))
            return None
        _ipykernel_names.install(type(self.shell), _comms)
        return _comms.install(self)

    @property
    def user_ns(self):
        return self.shell.user_ns

    @property
    def banner(self):
        return self.shell.banner

    def raw_input(self, prompt=""):
        return _guard.input(str(prompt), False)

    def getpass(self, prompt="Password: ", stream=None):
        return _guard.input(str(prompt), True)

    def get_parent(self, channel=None):
        """The request that the current cell or callback of a widget came with, as far as the guard knows it."""
        context = _guard.cell_context()
        msg_id, msg_type = context.get("msg_id", ""), context.get("msg_type", "execute_request")
        self._remember(msg_id, _guard.current_cell())
        return {"header": {"msg_id": msg_id, "msg_type": msg_type,
                           "session": context.get("session", ""), "username": "username"},
                "msg_id": msg_id, "msg_type": msg_type, "parent_header": {},
                "metadata": context.get("metadata") or {}, "content": {}}

    @property
    def _parent_header(self):
        return self.get_parent()

    def _remember(self, msg_id, cell):
        self._cells[msg_id] = cell
        if len(self._cells) > CELLS_REMEMBERED:
            del self._cells[next(iter(self._cells))]

    def _cell_of(self, parent):
        header = parent.get("header", parent)
        return self._cells.get(header.get("msg_id"), _guard.current_cell())

    def set_parent(self, ident, parent=None, channel="shell"):
        self.set_thread_parent(ident if parent is None else parent)

    def set_thread_parent(self, parent):
        """Attribute this context's output to the cell of `parent`; returns what undoes it."""
        before = _guard.current_cell()
        _guard.set_current_cell(self._cell_of(parent))
        return before

    def reset_thread_parent(self, before):
        _guard.set_current_cell(before)
