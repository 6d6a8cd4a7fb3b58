"""Programs that the kernel process runs for a cell, after a person's yes (on_deny = "ask").

The text goes there as it is and comes back as an exit status and what was kept of its output; what is
shown of it does not come through here. `None` means that nobody is asked: then the caller goes on, and
the guard refuses the program with its own words.
"""

import importlib
import shlex
import sys

from IPython.core.error import UsageError

from safepyrun import _guard


def _redirected():
    """%%capture and contextlib.redirect_stdout take what cells print: then programs print there, too."""
    out = sys.__stdout__
    return sys.stdout is not out, type(sys.stderr) is not type(out) or sys.stderr is out


def _run(shell, program, text, stdout, stderr):
    """(exit status, stdout, stderr), the outputs as text; None when nobody is asked."""
    ran = _guard.run_errand(program, text, stdout, stderr)
    if ran is None:
        return None
    importlib.invalidate_caches()       # it may have installed what the next line imports
    status, out, err = ran
    shell.user_ns["_exit_code"] = status
    return status, (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace")


def _run_shown(shell, program, text, keep_out=False, keep_err=False):
    """The same, its output shown or kept; what somebody has redirected goes there."""
    out, err = ("keep" if keep or redirected else "show"
                for keep, redirected in zip((keep_out, keep_err), _redirected()))
    ran = _run(shell, program, text, out, err)
    if ran is not None:
        if not keep_out:
            sys.stdout.write(ran[1])
        if not keep_err:
            sys.stderr.write(ran[2])
    return ran


def _refuse_background(text):
    if text.rstrip().endswith("&"):
        raise OSError("Background processes not supported.")        # as IPython says it


def _fail(status, text):
    from subprocess import CalledProcessError
    raise CalledProcessError(status, text)


def _raise_for(shell, status, text):
    if status != 0 and getattr(shell, "system_raise_on_error", False):
        _fail(status, text)


def system(shell, text, program="sh"):
    """!text. Returns whether somebody was asked, and it has run."""
    if not _guard.asks_for_errands():
        return False
    _refuse_background(text)
    ran = _run_shown(shell, program, text)
    if ran is not None:
        _raise_for(shell, ran[0], text)
    return ran is not None


def getoutput(shell, text):
    """What the command wrote to both streams; while somebody can be asked."""
    _refuse_background(text)
    ran = _run(shell, "sh", text, "keep", "join")
    if ran is None:
        raise OSError("nobody can be asked")
    _raise_for(shell, ran[0], text)
    return ran[1]


def _as_input(command, text):
    """A command line that gives the text to the command's stdin, to be read as it stands."""
    end, lines = "END", text.splitlines()
    while end in lines:
        end += "_"
    return f"{command} <<'{end}'\n{text}{'' if text.endswith(chr(10)) else chr(10)}{end}"


def run_script(shell, name, line, cell):
    """%%bash and its kin. Returns whether somebody was asked, and it has run."""
    if not _guard.asks_for_errands():
        return False
    from IPython.core.magics.script import ScriptMagics
    from IPython.utils.process import arg_split

    if name != "script":
        paths = shell.magics_manager.registry["ScriptMagics"].script_paths
        line = f"{paths.get(name, name)} {line}"
    options, command = ScriptMagics.shebang.parser.parse_known_args(arg_split(line, posix=True))
    if not command:
        raise UsageError("%%script needs the name of a program.")
    if options.bg:
        raise UsageError("--bg: a program that a person has allowed ends before the cell does.")
    ran = _run_shown(shell, "sh", _as_input(shlex.join(command), cell), bool(options.out), bool(options.err))
    if ran is None:
        return False
    for target, text in ((options.out, ran[1]), (options.err, ran[2])):
        if target:
            shell.user_ns[target] = text
    if ran[0] != 0 and getattr(options, "raise_error", True):
        _fail(ran[0], cell)
    return True
