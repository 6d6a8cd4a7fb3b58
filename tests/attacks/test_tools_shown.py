"""Attacks on the rights of tools that show something, under IPython: its display hook and formatters are objects
that cells may change. Each is first shown to work where the interpreter ring is off."""

import sys

import pytest
from guard_client import Guard

TOOLS = """
import sys
from safepyrun import allow

@allow
def shows(value):
    display(value)

@allow
def hooks(value):
    sys.displayhook(value)

@allow
def prints(value):
    print(value, end="")

@allow
def writes(path):
    with open(path, "w") as file:
        return file.write("x")
"""
CAPTURE = "from IPython.utils.capture import capture_output\nfrom IPython.core.displayhook import CapturingDisplayHook\nwith capture_output():\n    "
FORMATTERS = "formatter = get_ipython().display_formatter\n"
ATTACKS = {
    "class of the display hook": "type(sys.displayhook).__call__ = os.system\nhooks(ATTACK)",
    "class above the display hook": "type(sys.displayhook).__mro__[2].__call__ = lambda *a: 0\n"
                                    "type(sys.displayhook).__call__ = os.system\nhooks(ATTACK)",
    "descriptor in the display hook's class": "D = type('D', (), {'__get__': lambda *a: os.system})\n"
                                              "type(sys.displayhook).__call__ = D()\nhooks(ATTACK)",
    "class of %%capture's display hook": CAPTURE + "CapturingDisplayHook.__call__ = os.system; hooks(ATTACK)",
    "method of the formatter": FORMATTERS + "formatter.format = os.system\nhooks(ATTACK)",
    "method of the formatter, in %%capture": FORMATTERS + CAPTURE + "formatter.format = os.system; hooks(ATTACK)",
    "a formatter": FORMATTERS + "formatter.formatters['x'] = os.system\nformatter.active_types.append('x')\nshows(ATTACK)",
    "a formatter, in %%capture": FORMATTERS + "formatter.formatters['x'] = os.system\nformatter.active_types.append('x')\n" + CAPTURE + "hooks(ATTACK)",
    "a printer of a type": FORMATTERS + "formatter.formatters['text/html'].for_type(str, os.system)\nshows(ATTACK)",
    "a printer of a type, in %%capture": FORMATTERS + "formatter.formatters['text/html'].for_type(str, os.system)\n" + CAPTURE + "shows(ATTACK)",
    "method of standard output": "sys.stdout.write = os.system\nprints(ATTACK)",
}


def cell(text, folder):
    return "import os, sys\n" + text.replace("ATTACK", repr(f"touch {folder / 'trace'}"))


@pytest.fixture
def guarded(tmp_path):
    def start(policy):
        (tmp_path / "tools.py").write_text(TOOLS)
        (tmp_path / "here").mkdir(exist_ok=True)
        policy += f'os_ring = "off"\n[setup]\nfiles = ["{tmp_path / "tools.py"}"]\n'
        return Guard("ipython", sys.executable, policy_file=policy, cwd=tmp_path / "here")

    return start


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_shown_has_no_rights(name, guarded, tmp_path):
    trace = tmp_path / "trace"
    with guarded('preset = "open"\n') as unguarded:
        unguarded.execute(cell(ATTACKS[name], tmp_path), 30)
        assert trace.exists(), "the attack does nothing, even where nobody is guarded"
        trace.unlink()
    with guarded("") as guard:
        assert guard.execute("1").error is None
        guard.execute(cell(ATTACKS[name], tmp_path), 30)
        guard.execute("1")
    assert not trace.exists(), "a cell got a tool's rights"


def test_tools_keep_their_rights_where_output_is_captured(guarded, tmp_path):
    with guarded("") as guard:
        for number, start in enumerate(("%%capture taken\n", CAPTURE, "")):
            outcome = guard.execute(f"{start}writes({str(tmp_path / str(number))!r})", 30)
            assert outcome.error is None and not outcome.all("DENIAL"), outcome.frames
            assert (tmp_path / str(number)).read_text() == "x"
        assert guard.execute("taken.outputs[0].data['text/plain']").result == "'1'"
