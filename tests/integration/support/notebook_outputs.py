"""The stored outputs of a notebook: executing, tidying, comparing.

    notebook_outputs.py NOTEBOOK...     execute with the build tree's kernel and store the tidied outputs

What differs from machine to machine (where the notebook and the packages are, addresses of objects) is
replaced by one spelling, when outputs are stored and when they are compared. Pictures are compared by
their presence: their bytes depend on fonts.
"""

import os
import re
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import kernelspecs
import nbformat
from nbclient import NotebookClient

PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Tidy:
    """Replaces what belongs to one run."""

    def __init__(self, directory):
        self.replacements = [
            (re.escape(str(Path(directory).resolve())), "/home/you/notebooks"),
            (re.escape(str(kernelspecs.PROJECT / "notebooks")), "/home/you/notebooks"),
            (r"landlock ( +)active: ABI \d+", r"landlock \1active: ABI 7"),
            (re.escape(sysconfig.get_path("purelib")), "/home/you/venv/lib/python3/site-packages"),
            (r"/tmp/safepyrun-\w{6}\b", "/tmp/safepyrun"),     # the guard's own temporary directory
            (r"Steps further back: [\d, none]+", "Steps further back: 1, 2, 3"),      # fewer on a busy machine
            (r"0x[0-9a-f]{6,}", "0x7f0000000000"),
        ]

    def text(self, value):
        for pattern, replacement in self.replacements:
            value = re.sub(pattern, replacement, value)
        return value

    def value(self, value):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {key: each if key in PICTURES else self.value(each) for key, each in value.items()}
        return value


async def wait_for_copy(client):
    """What a person who reads gives the kernel: a quiet moment, in which it takes its copy also on a busy machine."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        client.kc.control_channel.send(client.kc.session.msg("safepyrun_status_request"))
        if (await client.kc.control_channel.get_msg(timeout=10))["content"]["copy_is_current"]:
            return


def execute(path, directory):
    """A copy of the notebook, executed in `directory` under the kernel that it names; outputs tidied."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    of_ours = notebook.metadata.kernelspec.name.startswith("safepyrun")
    client = NotebookClient(notebook, timeout=120, record_timing=False, resources={"metadata": {"path": str(directory)}},
                            on_cell_executed=(lambda **_: wait_for_copy(client)) if of_ours else None)
    client.execute()
    tidy = Tidy(directory)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(tidy.value(output)) for output in merged(cell.outputs)]
    return notebook


def merged(outputs):
    """Pieces of a stream as one: where they are cut is a matter of time."""
    found = []
    for output in outputs:
        last = found[-1] if found else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            found.append(dict(output))
    return found


def essence(output):
    """What two runs must have in common. A traceback's frames may change with a library, its error may not."""
    if output["output_type"] == "error":
        return "error", output["ename"], COLOURS.sub("", output["evalue"])
    if output["output_type"] == "stream":
        return "stream", output["name"], output["text"]
    data = {mime: None if mime in PICTURES else value for mime, value in output["data"].items()}
    return output["output_type"], data


def store(path):
    with tempfile.TemporaryDirectory() as prefix, tempfile.TemporaryDirectory() as directory:
        os.environ.update(kernelspecs.environment(prefix))
        kernelspecs.install_for_notebooks(prefix)
        nbformat.write(execute(path, directory), path)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        store(each)
