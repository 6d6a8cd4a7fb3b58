"""Completion, inspection, completeness, comms."""

import json

import pytest


def test_complete_attributes(guard):
    guard.execute("import os, sys")
    reply = guard.ask("COMPLETE", code="x = os.path.isd", cursor_pos=15)
    assert reply["status"] == "ok" and "isdir" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (12, 15)
    assert {"text": "isdir", "type": "function", "start": 12, "end": 15, "signature": ""} in reply["metadata"]["_jupyter_types_experimental"]


def test_complete_names_keywords_modules(guard):
    guard.execute("a_long_name = 1")
    assert guard.ask("COMPLETE", code="a_lo", cursor_pos=4)["matches"] == ["a_long_name"]
    assert "while" in guard.ask("COMPLETE", code="wh", cursor_pos=2)["matches"]
    assert "json" in guard.ask("COMPLETE", code="import js", cursor_pos=9)["matches"]


def test_cursor_counts_characters(guard):
    guard.execute("wörter = []")
    reply = guard.ask("COMPLETE", code="'😀'; wörter.app", cursor_pos=15)
    assert reply["matches"] == ["append"] and reply["cursor_start"] == 12


@pytest.mark.parametrize("cursor", [-1, 99, 10**30, None])
def test_cursor_is_clamped(guard, cursor):
    content = {"code": "prin"} if cursor is None else {"code": "prin", "cursor_pos": cursor}
    assert guard.ask("COMPLETE", **content)["matches"] == ["print"]


def test_completion_runs_no_property(guard):
    guard.execute("class C:\n    @property\n    def danger(self):\n        global ran; ran = True\n        return self\nran = False; c = C()")
    guard.ask("COMPLETE", code="c.danger.x", cursor_pos=10)
    assert "danger" in guard.ask("COMPLETE", code="c.d", cursor_pos=3)["matches"]
    assert guard.execute("ran").result == "False"


@pytest.mark.parametrize("kind", ["COMPLETE", "INSPECT", "IS_COMPLETE"])
@pytest.mark.parametrize("content", [{}, {"code": 3}, {"code": "a", "cursor_pos": "x"}])
def test_bad_content_is_answered(guard, kind, content):
    reply = guard.ask(kind, **content)
    if kind == "IS_COMPLETE" and content.get("code") == "a":
        return
    assert reply["status"] == "error" and reply["ename"] == "ValueError"
    assert isinstance(reply["traceback"], list) and reply["evalue"]


@pytest.mark.parametrize("kind, content", [("COMPLETE", {"code": "names.", "cursor_pos": 6}), ("INSPECT", {"code": "names", "cursor_pos": 5}),
                                           ("IS_COMPLETE", {"code": "names"}), ("VARIABLES", {})])
def test_a_question_leaves_no_object_behind(guard, kind, content):
    """A front end asks all day long."""
    guard.execute("import gc; names = [1, 2]")
    counts = []
    for _ in range(3):
        for _ in range(50):
            assert guard.ask(kind, **content)["status"] in ("ok", "complete")
        counts.append(int(guard.execute("gc.collect(); len(gc.get_objects())").result))
    assert counts[2] - counts[1] < 50, counts


def test_inspect(guard):
    guard.execute("import os")
    reply = guard.ask("INSPECT", code="len(", cursor_pos=4)
    assert reply["found"] and "number of items" in reply["data"]["text/plain"]
    text = guard.ask("INSPECT", code="os.path.join", cursor_pos=12)["data"]["text/plain"]
    assert "Signature:" in text and "Docstring:" in text and "Type: function" in text
    guard.execute("def mine(a, *, b=2):\n    'Says.'\n    return a")
    source = guard.ask("INSPECT", code="mine", cursor_pos=4, detail_level=1)["data"]["text/plain"]
    assert "Signature: mine(a, *, b=2)" in source and "return a" in source
    assert guard.ask("INSPECT", code="nothing_here", cursor_pos=3) == {"status": "ok", "found": False, "data": {}, "metadata": {}}


@pytest.mark.parametrize("code, answer", [
    ("1 + 1", {"status": "complete"}), ("x = (1,", {"status": "incomplete", "indent": ""}),
    ("def f():", {"status": "incomplete", "indent": "    "}), ("a b", {"status": "invalid"}),
    ("for i in x:\n    print(i)", {"status": "incomplete", "indent": "    "}),
    ("for i in x:\n    print(i)\n", {"status": "complete"}), ("await f()", {"status": "complete"}),
    ("'''a", {"status": "incomplete", "indent": ""})])
def test_is_complete(guard, code, answer):
    assert guard.ask("IS_COMPLETE", code=code) == answer


def test_comm_without_a_target(guard):
    guard.cell += 1
    content = json.dumps({"comm_id": "c1", "target_name": "t", "data": {}}).encode()
    guard.send("COMM_OPEN_REQUEST", guard.cell, content, b'{"metadata": {}}', b"\0\1")
    outcome = guard.collect(guard.cell)
    assert outcome.all("COMM_CLOSE") == [{"comm_id": "c1", "data": {}}]
    assert outcome.frames[-1].parts == []


def test_comm_that_is_no_json(guard):
    guard.cell += 1
    guard.send("COMM_MSG_REQUEST", guard.cell, b"{", b"{}")
    outcome = guard.collect(guard.cell)
    assert outcome.frames[-1].parts == [] and "ValueError" in outcome.stderr
