"""Magics that differ in a guarded kernel, and what is asked before others run.

Starting programs is refused by the guard itself, with its own words; here the refusal is asked for
early, before IPython sets up threads and pipes for a program that will not start.
"""

import glob
import os
import re
import shlex
import stat
import sys
import time

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from safepyrun import _guard, _report
from safepyrun import _ipython_programs as programs
from safepyrun._ipython_compile import check_expression, check_source

#: cell magics that hand the cell to a program
SCRIPT_MAGICS = {"script", "bash", "sh", "perl", "ruby", "python", "python2", "python3", "pypy",
                 "cmd"}
#: magics that exec() their argument without IPython's compiler
EXEC_MAGICS = {"prun", "debug"}
#: magics that eval() an argument that names neither a file nor a line of history
EVAL_MAGICS = {"recall", "rep", "edit", "ed", "load", "loadpy", "pastebin"}
#: the options before the statement of %prun and %debug
_OPTIONS = re.compile(r"^(?:\s*(?:-[rq]+|-[DlsTb]\s*\S+|--breakpoint[ =]\S+)(?=\s|$))*\s*")
#: the first word of a command that installs packages
_INSTALLER = re.compile(r"(?:\S*/)?(?:python[\d.]*[\"']?\s+-m\s+)?"
                        r"(?:pip[\d.]*|conda|mamba|micromamba|uv)\b")


def ask_before_magic(shell, name, line, cell):
    """Refuse now what would be refused later, or slip through."""
    if cell and name in SCRIPT_MAGICS:      # of an empty one IPython says how it is used
        program = (line.split() or [name])[0] if name == "script" else name
        sys.audit("subprocess.Popen", program, [program], None, None)
    if name == "config":
        check_source("config." + line if "=" in line else "")
        if line.startswith("InlineBackend"):
            _offer_inline_backend(shell)
    if name in EVAL_MAGICS:
        check_expression(line)
    if name in EXEC_MAGICS:
        check_source(shell.transform_cell(_OPTIONS.sub("", line) + "\n" + (cell or "")))


def _offer_inline_backend(shell):
    """%config InlineBackend works before the first figure, as it does under ipykernel."""
    try:
        from matplotlib_inline.config import InlineBackend
    except ImportError:
        return
    backend = InlineBackend.instance(parent=shell)
    backend.shell = shell
    if backend not in shell.configurables:
        shell.configurables.append(backend)


def explain_refusal(error, command):
    """The same refusal, with what to do instead when the command installs packages."""
    if _INSTALLER.match(command.strip().strip("\"'")):
        error.strerror = f"{error.strerror}. In a terminal: {sys.executable} -m pip install ..."
        del error.filename
    return error


def _files(line):
    """The words of a command line without options; patterns are expanded."""
    words = [os.path.expanduser(word) for word in shlex.split(line) if not word.startswith("-")]
    return [name for word in words for name in sorted(glob.glob(word)) or [word]]


def _listed(name, path, at_length):
    """A line of %ls."""
    name += "/" * os.path.isdir(path)
    if not at_length:
        return name
    about = os.lstat(path)
    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(about.st_mtime))
    return f"{stat.filemode(about.st_mode)} {about.st_size:>12} {changed} {name}"


class _NoNotary:
    """In the place of nbformat's: that a notebook may show HTML and scripts unasked is not for a cell to sign."""

    def __init__(self, **kwargs):
        self.store = self

    def update_config(self, config):
        pass

    def sign(self, nb):
        """The last to see it: what ran guarded is opened guarded again, where IPython names the kernel "python3"."""
        nb.metadata["kernelspec"] = {"display_name": "Python 3 (safepyrun)", "language": "python", "name": "safepyrun"}

    def close(self):
        pass


@magics_class
class KernelMagics(Magics):
    """What needs a terminal in IPython and a front end here."""

    @line_magic
    def clear(self, line):
        """Clear the output of this cell."""
        self.shell.display_pub.clear_output()

    @line_magic
    def less(self, line):
        """Show a file in the pager."""
        if not line:
            raise UsageError("Missing filename.")
        with open(line, encoding="utf-8", errors="replace") as file:
            self.shell._page(file.read())

    more = line_magic("more")(less)

    @line_magic
    def cat(self, line):
        """Print files. In a terminal this is an alias of a program."""
        for name in _files(line):
            with open(name, encoding="utf-8", errors="replace") as file:
                print(file.read(), end="")

    @line_magic
    def ls(self, line):
        """List the current directory, a directory or what a pattern matches: %ls [-a] [-l] [FILES]"""
        options = "".join(word for word in shlex.split(line) if word.startswith("-"))
        for name in _files(line) or ["."]:
            folder = name if os.path.isdir(name) else ""
            if not os.path.lexists(name):
                raise UsageError(f"There is no file {name!r}.")
            entries = sorted(os.listdir(name)) if folder else [name]
            for entry in entries:
                if not folder or "a" in options or not entry.startswith("."):
                    print(_listed(entry, os.path.join(folder, entry), "l" in options))

    @line_magic
    def autosave(self, line):
        """Save the notebook every so many seconds: front ends have a setting for that."""
        print("How often a notebook is saved is a setting of the front end.")

    @line_magic
    def notebook(self, line):
        """Write the cells of this session, without what they showed, to a notebook: %notebook FILE"""
        write = self.shell.magics_manager.registry["BasicMagics"].notebook
        try:
            from nbformat import sign
        except ImportError:
            return write(line)      # who says so in IPython's words
        notary = sign.NotebookNotary
        sign.NotebookNotary = _NoNotary
        try:
            write(line)
        finally:
            sign.NotebookNotary = notary

    @line_magic
    def store(self, line):
        """Keep variables for other sessions: not here."""
        raise UsageError("%store is not here: sessions without a guard would unpickle what a cell has stored. "
                         "Write a file instead: df.to_parquet(…), json.dump(…), pickle.dump(…).")

    @line_magic
    def pip(self, line):
        """Run pip for the Python of this session: %pip install PACKAGES"""
        self._install("pip", line)

    @line_magic
    def uv(self, line):
        """Run uv for the Python of this session: %uv pip install PACKAGES"""
        self._install("uv", line)

    def _install(self, program, line):
        if not programs.system(self.shell, line, program):
            self.shell.system(f"{shlex.quote(sys.executable)} -m {program} {line}")
        print("Note: you may need to restart the kernel to use updated packages.")

    @line_magic
    def edit(self, line):
        """Ask the front end to open a file in its editor: %edit FILE [LINE]"""
        words = line.split()
        if not words:
            raise UsageError("Missing filename.")
        number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
        self.shell.payload_manager.write_payload({"source": "edit_magic", "filename": words[0],
                                                  "line_number": number})

    @line_magic
    def guard(self, line):
        """Show what the guard is (status), allows (policy) and has refused (log, why)."""
        print(_report.report(line))

    @line_magic
    def rewind(self, line):
        """Undo cells: %rewind [n], alone in its cell. The kernel process does it; this is only reached elsewhere."""
        count = line.strip()
        if count and not (count.isdecimal() and int(count)):
            raise UsageError(f"%rewind takes the number of cells to undo, from 1: not {count!r}.")
        raise UsageError("%rewind [n] must be alone in its cell.")

    @line_cell_magic
    def trial(self, line, cell=None):
        """Run a cell and forget what it did: %%trial on the first line. The kernel process does it."""
        raise UsageError("%trial and %%trial must begin their cell.")

    @line_magic
    def connect_info(self, line):
        """Say where the connection file is: not here."""
        _guard.log("info", "%connect_info was asked")
        print("The kernel process keeps the connection file and its key; cells cannot read them.\n"
              "`jupyter console --existing` finds the kernel by itself.")
