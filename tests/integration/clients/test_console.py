"""jupyter console in a pseudo-terminal, as a person sits before it."""

import re
import sys

import pexpect
import pytest

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()=>][A-Z0-9]?|\x1b\][^\x07]*\x07")


def start(kernel, jupyter, directory):
    # A plain terminal: prompt_toolkit then redraws little, and what it writes can be read.
    terminal = pexpect.spawn(
        sys.executable, ["-m", "jupyter_console", "--kernel", kernel, "--ZMQTerminalInteractiveShell.simple_prompt=False"],
        cwd=str(directory), env=jupyter | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}, encoding="utf-8",
        timeout=20, dimensions=(40, 120))
    prompt(terminal, 1)
    return terminal


@pytest.fixture(params=["safepyrun", "safepyrun-plain"])
def console(request, jupyter, tmp_path):
    terminal = start(request.param, jupyter, tmp_path)
    yield terminal
    terminal.close(force=True)


@pytest.fixture
def asking_console(jupyter, tmp_path):
    """In a folder of its own, so that files beside it are outside of the write roots."""
    (tmp_path / "work").mkdir()
    terminal = start("safepyrun-asks", jupyter, tmp_path / "work")
    yield terminal
    terminal.close(force=True)


def prompt(terminal, number):
    """Waits for `In [number]:` whatever colours stand in between; returns the text before it."""
    terminal.expect(rf"In (\x1b\[[0-9;]*m)*\[(\x1b\[[0-9;]*m)*{number}(\x1b\[[0-9;]*m)*\]")
    return ESCAPES.sub("", terminal.before)


def enter(terminal, text):
    terminal.send(text + "\r")


def test_a_result(console):
    enter(console, "6 * 7")
    assert "42" in prompt(console, 2)


def test_several_lines(console):
    enter(console, "for n in range(3):")
    enter(console, "print('line', n * 11)")
    enter(console, "")
    shown = prompt(console, 2)
    assert "line 0" in shown and "line 22" in shown


def test_completion(console):
    enter(console, "a_rather_long_name = 17")
    prompt(console, 2)
    console.send("a_rather_lo\t")
    console.expect("ng_name")
    enter(console, " + 1")
    assert "18" in prompt(console, 3)


def test_control_c_interrupts(console):
    enter(console, "import time; print('go' + 'ing'); time.sleep(60)")
    console.expect("going")
    console.sendintr()
    shown = prompt(console, 2)
    assert "KeyboardInterrupt" in shown
    enter(console, "'ali' + 've'")
    assert "alive" in prompt(console, 3)


def test_input(console):
    enter(console, "print('hello', input('what na' + 'me? '))")
    console.expect("what name\\?")
    enter(console, "Pingu")
    assert "hello Pingu" in prompt(console, 2)


def test_a_refusal_is_readable(console):
    enter(console, "import os; os.remove('/srv/elsewhere')")
    shown = prompt(console, 2)
    assert "PermissionError" in shown and "/srv/elsewhere" in shown


def test_a_person_says_yes_and_no(asking_console, tmp_path):
    for number, word in enumerate(("once", "no"), 1):
        enter(asking_console, f"open('../{word}', 'w').close()")
        asking_console.expect("wants to write to the file")
        asking_console.expect(rf'"{tmp_path}/{word}"')
        asking_console.expect(r"    once (\d{4}) ")
        code = asking_console.match[1]
        asking_console.expect("Your answer:")
        enter(asking_console, f"{word} {code}" if word == "once" else word)
        shown = prompt(asking_console, number + 1)
        assert (tmp_path / word).exists() == (word == "once")
        assert ("said no" in shown) == (word == "no")


def test_leaving(console):
    enter(console, "exit()")
    console.expect(pexpect.EOF)
    console.wait()
