"""Results and rich output: IPython's publisher and display hook, sending frames of the guard."""

import threading

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from safepyrun import _guard


class MessageHooks:
    """Functions that see, change or swallow a message before it goes; a list per thread."""

    def __init__(self):
        self._local = threading.local()

    def list(self):
        if not hasattr(self._local, "hooks"):
            self._local.hooks = []
        return self._local.hooks

    def send(self, msg_type, content):
        message = {"header": {"msg_type": msg_type}, "msg_type": msg_type,
                   "parent_header": {}, "metadata": {}, "content": content}
        for hook in self.list():
            message = hook(message)
            if message is None:
                return
        _guard.publish(message["header"]["msg_type"], message["content"], message["metadata"])


class Hooked:
    """What IPython's publisher and display hook have in common here: messages that hooks see first."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._message_hooks = MessageHooks()

    def register_hook(self, hook):
        self._message_hooks.list().append(hook)

    def unregister_hook(self, hook):
        hooks = self._message_hooks.list()
        if hook not in hooks:
            return False
        hooks.remove(hook)
        return True


class GuardDisplayPublisher(Hooked, DisplayPublisher):
    """`display()`, `update_display()` and `clear_output()`."""

    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **kwargs):
        self._validate_data(data, metadata)
        self._message_hooks.send("update_display_data" if update else "display_data",
                                 {"data": data, "metadata": metadata or {},
                                  "transient": transient or {}})

    def clear_output(self, wait=False):
        self._message_hooks.send("clear_output", {"wait": bool(wait)})


class GuardDisplayHook(Hooked, DisplayHook):
    """The value of a last expression: `_`, `Out[n]` and one execute_result."""

    @property
    def prompt_count(self):
        # The number that the kernel process gave the cell. IPython 8 and 9 derive it differently.
        return self.shell.cell_number

    def quiet(self):
        # IPython looks at In[-1], which is another cell when the history is off.
        source = self.shell.current_source
        if ";" not in source:
            return False
        try:
            return bool(self.semicolon_at_end_of_expression(source))
        except Exception:
            return False

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        self._message_hooks.send("execute_result", {"execution_count": self.prompt_count,
                                                    "data": format_dict,
                                                    "metadata": md_dict or {}})

    def finish_displayhook(self):
        self._is_active = False

    def log_output(self, format_dict):
        text = format_dict.get("text/plain")
        if text is None:
            return
        self.shell.history_manager.output_hist_reprs[self.prompt_count] = text
        logger = self.shell.existing_logger()
        if logger is not None and logger.log_output:
            logger.log_write(text, "output")
