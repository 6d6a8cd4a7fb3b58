"""Comms: what widgets use to talk to their other half in the front end.

The package `comm` defines the interface and expects the kernel to put its own functions in; this is
where that happens. The kernel process keeps its own list of open comms for comm_info_request.
"""

from time import monotonic, sleep

import comm
from comm.base_comm import BaseComm, CommManager

from safepyrun import _guard
from safepyrun._of_thread import in_main

#: between a comm's opening and its callback; nobody waits for one that has none, but once
MAKING_SECONDS = 0.25


class GuardComm(BaseComm):
    """One comm; what it sends goes out for the cell whose code is running."""

    #: the kernel object that older widget code asks for
    kernel = None
    _is_old = False

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        content = {"comm_id": self.comm_id, "data": {} if data is None else data, **keys}
        _guard.publish(msg_type, content, metadata or {}, list(buffers or ()))

    def _wait_for_callback(self):
        """In a subshell: the cell beside has told the front end of the comm, and may not have come to on_msg() yet."""
        if self._is_old or self._msg_callback is not None or in_main():
            return
        end = monotonic() + MAKING_SECONDS
        while self._msg_callback is None and self.kernel.shell.main_runs and monotonic() < end:
            sleep(0.005)
        self._is_old = True

    def handle_msg(self, msg):
        shell = self.kernel.shell
        self._wait_for_callback()
        if not shell.main_runs or self._msg_callback is None:
            return super().handle_msg(msg)
        # Beside a cell: without the events, which would show the figures that it still draws, as if they were the callback's.
        return self._msg_callback(msg)


class GuardCommManager(CommManager):
    """The comms of the session, and the way in for messages of the front end."""

    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel

    def get_comm(self, comm_id):
        found = self.comms.get(comm_id)
        if found is None:
            # The usual case: a page that was open before the kernel was restarted.
            _guard.log("info", f"no such comm: {comm_id}")
        return found

    def receive(self, msg_type, content, metadata, buffers):
        message = {"header": {**self.kernel.get_parent()["header"], "msg_type": msg_type},
                   "msg_type": msg_type, "parent_header": {}, "metadata": metadata,
                   "content": content, "buffers": buffers}
        getattr(self, "_" + msg_type)(message, content)

    def _comm_open(self, message, content):
        opened = comm.create_comm(comm_id=content["comm_id"], primary=False,
                                  target_name=content["target_name"])
        target = self.targets.get(content["target_name"])
        if target is None:
            _guard.log("warning", f"no such comm target: {content['target_name']}")
        else:
            self.register_comm(opened)
            if self._call(target, opened, message):
                return
            self.comms.pop(opened.comm_id, None)
        # Never registered, or no longer: the front end still has to learn that nobody listens.
        opened._closed = True
        opened.publish_msg("comm_close")

    def _comm_msg(self, message, content):
        found = self.get_comm(content["comm_id"])
        if found is not None:
            self._call(found.handle_msg, message)

    def _comm_close(self, message, content):
        found = self.get_comm(content["comm_id"])
        if found is not None:
            found._closed = True
            del self.comms[found.comm_id]
            self._call(found.handle_close, message)

    def _call(self, function, *arguments):
        """The user's own callback: its error is shown where the comm's message is answered."""
        try:
            function(*arguments)
        except Exception:
            self.kernel.shell.showtraceback()
            return False
        return True


#: that of the session, once there is one
manager = None


def install(kernel):
    """Make `comm` use this kernel; returns the manager."""
    global manager
    manager = GuardCommManager(kernel)
    GuardComm.kernel = kernel
    comm.create_comm = GuardComm
    comm.get_comm_manager = lambda: manager
    return manager
