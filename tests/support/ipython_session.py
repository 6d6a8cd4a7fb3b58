"""An IPython session in a guard, as a front end would see it: one call per request."""

import json
import sys

import pytest
from guard_client import Guard

MESSAGES = {"DISPLAY_DATA", "UPDATE_DISPLAY_DATA", "CLEAR_OUTPUT", "EXECUTE_RESULT", "ERROR",
            "COMM_OPEN", "COMM_MSG", "COMM_CLOSE"}
#: drawing the first figure of a machine builds a font cache
TIMEOUT_SECONDS = 90


class Answer:
    """What one request brought back, with the names that messages have in Jupyter."""

    def __init__(self, outcome, cell):
        sent = [frame for frame in outcome.frames if frame.name in MESSAGES]
        self.msg_id = f"m{cell}"
        self.reply = outcome.reply
        self.stdout = outcome.stdout
        self.messages = [(frame.name.lower(), frame.content) for frame in sent]
        self.buffers = [frame.parts[2:] for frame in sent]

    def one(self, msg_type):
        (content,) = [content for name, content in self.messages if name == msg_type]
        return content

    @property
    def result(self):
        return self.one("execute_result")


class Session:
    """Runs in the Python of the tests, which has IPython and what the tests import."""

    def __init__(self, directory, policy_file="", python=sys.executable):
        environment = {"IPYTHONDIR": str(directory / "ipython"),
                       "XDG_CACHE_HOME": str(directory / "cache"),
                       "MPLCONFIGDIR": str(directory / "matplotlib"),
                       "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        self.guard = Guard("ipython", python, policy_file=policy_file, environment=environment,
                           cwd=directory)
        self.guard.wait_ready()

    def run(self, code, **options):
        cell = self.guard.start(code, **options)
        return Answer(self.guard.collect(cell, TIMEOUT_SECONDS), cell)

    def comm(self, msg_type, content, metadata=None, buffers=()):
        self.guard.cell += 1
        cell = self.guard.cell
        self.guard.send(f"{msg_type.upper()}_REQUEST", cell, json.dumps(content).encode(),
                        json.dumps({"msg_id": str(cell), "metadata": metadata or {}}).encode(), *buffers)
        return Answer(self.guard.collect(cell, TIMEOUT_SECONDS), cell)

    def complete(self, code, cursor_pos=None):
        position = len(code) if cursor_pos is None else cursor_pos
        return self.guard.ask("COMPLETE", code=code, cursor_pos=position)

    def inspect(self, code, cursor_pos, detail_level=0):
        return self.guard.ask("INSPECT", code=code, cursor_pos=cursor_pos,
                              detail_level=detail_level)

    def is_complete(self, code):
        return self.guard.ask("IS_COMPLETE", code=code)

    def close(self):
        self.guard.close()


@pytest.fixture
def ipython(tmp_path):
    """A session whose cells may define functions and classes; the rest is the default policy."""
    session = Session(tmp_path, policy_file="ban_defs = false\n")
    yield session
    session.close()


@pytest.fixture
def strict_ipython(tmp_path):
    """A session under the default policy: among other things, no import of socket."""
    session = Session(tmp_path)
    yield session
    session.close()
