"""The guard's side of a question (on_deny = "ask"): what it asks, and what it takes for an answer.

The kernel process is played by the test; how a person is asked is tests/integration/wire/test_questions.py.
"""

import json

import pytest
from guard_client import Guard

POLICY = 'on_deny = "ask"\nask_seconds = 7\nban_defs = false\n'


@pytest.fixture
def asking(host, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "outside").mkdir()
    with Guard(python=host, policy_file=POLICY, cwd=tmp_path / "work") as guard:
        guard.outside = tmp_path / "outside"
        yield guard


def write(guard, name="x"):
    return f"open({str(guard.outside / name)!r}, 'w').write('1')"


def asked(guard):
    while (frame := guard.receive()).name != "ASK":
        assert frame.name not in ("REPLY", "ERROR"), frame
    return frame


def answer(guard, frame, word, number=None):
    guard.send("ANSWER", frame.cell, frame.parts[0] if number is None else number, word)


def test_what_is_asked(asking):
    cell = asking.start(write(asking))
    frame = asked(asking)
    assert frame.cell == cell and frame.parts[2:] == [b"7", str(asking.outside / "x").encode()]
    answer(asking, frame, b"once")
    assert asking.collect(cell).error is None and (asking.outside / "x").exists()


@pytest.mark.parametrize("word, number", [
    (b"no", None), (b"", None), (b"ONCE", None), (b"once ", None), (b"once\0", None), (b"yes", None), (b"late", None),
    (b"enough", None), (b"nobody", None), (b"interrupted", None), (b"once", b"0"), (b"session", b"99"), (b"session", b""),
])
def test_only_the_words_for_this_question_let_it_pass(asking, word, number):
    cell = asking.start(write(asking))
    answer(asking, asked(asking), word, number)
    assert asking.collect(cell).error == "PermissionError" and not (asking.outside / "x").exists()


@pytest.mark.parametrize("word", [b"enough", b"late", b"nobody"])
def test_a_settled_cell_asks_no_more(asking, word):
    cell = asking.start(f"n = 0\nfor name in 'abc':\n    try: open({str(asking.outside)!r} + '/' + name, 'w')\n"
                        "    except PermissionError: n += 1\nn")
    answer(asking, asked(asking), word)
    outcome = asking.collect(cell)
    assert outcome.result == "3" and "ASK" not in outcome.names
    cell = asking.start(write(asking))      # the next cell asks again
    answer(asking, asked(asking), b"once")
    assert asking.collect(cell).error is None


def test_what_comes_meanwhile_is_kept(asking):
    cell = asking.start(write(asking))
    frame = asked(asking)
    asking.cell += 1
    asking.send("IS_COMPLETE", asking.cell, json.dumps({"code": "1 +"}).encode())
    answer(asking, frame, b"session")
    assert asking.collect(cell).error is None
    assert asking.collect(asking.cell).reply["status"] in ("incomplete", "invalid")
    assert asking.execute(write(asking)).error is None      # a granted path asks no more


def test_an_answer_that_nobody_waits_for_is_ignored(asking):
    asking.send("ANSWER", 1, b"1", b"session")
    cell = asking.start(write(asking))
    answer(asking, asked(asking), b"no")
    assert asking.collect(cell).error == "PermissionError"
    assert asking.execute("6 * 7").result == "42"


def test_threads_tasks_and_later_callbacks_ask_nobody(asking):
    code = f"import threading\nt = threading.Thread(target=lambda: {write(asking)})\nt.start(); t.join()"
    assert "ASK" not in asking.execute(code).names
    task = f"import asyncio\nasync def late():\n    await asyncio.sleep(0.05)\n    {write(asking)}\ntask = asyncio.ensure_future(late())"
    assert "ASK" not in asking.execute(task).names
    outcome = asking.execute("await asyncio.sleep(0.3)")
    assert "ASK" not in outcome.names and not (asking.outside / "x").exists()


def test_finalizers_and_comparisons_can_ask_too(asking):
    """No Python code runs between the question and the answer: the call is judged as it was asked about."""
    code = (f"class Thing:\n    def __del__(self): {write(asking)}\n    def __eq__(self, other): raise SystemError\n"
            "    __hash__ = None\nthing = Thing()\ndel thing")
    cell = asking.start(code)
    answer(asking, asked(asking), b"once")
    assert asking.collect(cell).error is None and (asking.outside / "x").exists()


def test_the_question_comes_after_what_was_printed(asking):
    cell = asking.start(f"print('first', end='')\n{write(asking)}")
    frames = []
    while not frames or frames[-1].name != "ASK":
        frames.append(asking.receive())
    assert [frame.name for frame in frames] == ["STDOUT", "ASK"]
    answer(asking, frames[-1], b"no")
    asking.collect(cell)
