"""What cells show: rich output, odd values, floods. Nothing is lost and nothing breaks a client."""

import json

import pytest
from frontend import labels, only, text


@pytest.fixture
def display(shell):
    """What must stand before a cell that calls display(): the plain shell has it as a built-in."""
    return "" if shell == "plain" else "from IPython.display import display\n"


def test_rich_result(front):
    code = "Thing = type('Thing', (), {'_repr_html_': lambda self: '<b>ü</b>', '__repr__': lambda self: 'thing'})\nThing()"
    _, outputs = front.run(code)
    data = only(outputs, "execute_result").content["data"]
    assert data == {"text/plain": "thing", "text/html": "<b>ü</b>"}


def test_mime_bundle(front):
    code = ("T = type('T', (), {'_repr_mimebundle_': lambda self, include=None, exclude=None: "
            "({'text/plain': 'p', 'application/json': {'a': [1]}}, {'application/json': {'expanded': True}})})\nT()")
    _, outputs = front.run(code)
    content = only(outputs, "execute_result").content
    assert content["data"]["application/json"] == {"a": [1]}
    assert content["metadata"] == {"application/json": {"expanded": True}}


def test_broken_repr_is_an_error_of_the_cell(front):
    reply, outputs = front.run("type('T', (), {'__repr__': lambda self: 1 / 0})()")
    assert reply.content["status"] in ("ok", "error")
    assert front.run("1")[0].content["status"] == "ok"


def test_png_travels_as_base64(front):
    code = "T = type('T', (), {'_repr_png_': lambda self: b'\\x89PNG\\r\\n\\x1a\\n', '__repr__': lambda s: 'T'})\nT()"
    _, outputs = front.run(code)
    assert only(outputs, "execute_result").content["data"]["image/png"].strip() == "iVBORw0KGgo="


def test_display_update_and_clear(front, display):
    code = display + "handle = display({'text/plain': 'one'}, raw=True, display_id='here')\nhandle.update({'text/plain': 'two'}, raw=True)\ndisplay(clear=True)"
    _, outputs = front.run(code)
    assert labels(outputs) == ["display_data", "update_display_data", "clear_output"]
    assert outputs[0].content["transient"] == {"display_id": "here"} == outputs[1].content["transient"]
    assert outputs[1].content["data"] == {"text/plain": "two"}
    assert outputs[2].content == {"wait": True}


def test_print_comes_before_the_display_that_follows_it(front, display):
    _, outputs = front.run(display + "print('a'); display({'text/plain': 'b'}, raw=True); print('c')")
    assert labels(outputs) == ["stdout", "display_data", "stdout"]


@pytest.mark.parametrize("write", ["sys.stdout.buffer.write", "os.write"])
def test_a_character_that_stays_unfinished_ends_with_its_cell(front, write):
    """Its end, from the next cell, is none of it."""
    target = "1, " if write == "os.write" else ""
    halves = [text(front.run(f"import os, sys; {write}({target}{half}); None")[1]) for half in (r"b'a\xc3'", r"b'\xa9b'")]
    assert halves == ["a\ufffd", "\ufffdb"]


@pytest.mark.parametrize("code", [r"print('\ud800 and more')", r"import sys; sys.stderr.write('\udcff')"])
def test_lone_surrogates_are_printed_somehow(front, code):
    reply, outputs = front.run(code)
    assert reply.content["status"] == "ok"
    assert text(outputs) or text(outputs, "stderr")


def test_surrogate_in_an_error(front):
    reply, outputs = front.run(r"raise ValueError('\ud800')")
    assert reply.content["ename"] == only(outputs, "error").content["ename"] == "ValueError"


@pytest.mark.parametrize("value", ["float('nan')", "float('inf')", "2**70", "-(2**70)", r"'\ud800'", "b'bytes'", "date"])
def test_odd_values_in_json(front, display, value):
    code = "from datetime import datetime\ndate = datetime(2026, 1, 2)\n" + display + "display({'application/json': {'value': " + value + "}, 'text/plain': 'x'}, raw=True)"
    reply, outputs = front.run(code)
    assert reply.content["status"] == "ok", reply.content
    message = only(outputs, "display_data")
    # strictly: JavaScript's parser takes no NaN
    json.loads(message.frames[3], parse_constant=lambda name: pytest.fail(f"{name} on the wire"))
    if value == "2**70":
        assert message.content["data"]["application/json"] == {"value": 2**70}


def test_bytes_that_are_no_utf8(front):
    _, outputs = front.run("import os; os.write(1, b'a\\xff\\xfeb\\n')")
    assert text(outputs).startswith("a") and text(outputs).endswith("b\n")


def test_multibyte_characters_are_never_cut(front):
    _, outputs = front.run("print('😀ü' * 100_000)", timeout=30)
    assert text(outputs) == "😀ü" * 100_000 + "\n"


def test_multibyte_characters_written_in_pieces(front):
    _, outputs = front.run("import os, time\nfor b in 'aé😀'.encode():\n    os.write(1, bytes([b])); time.sleep(0.06)")
    assert text(outputs) == "aé😀"


def test_prints_are_batched(front):
    _, outputs = front.run("for n in range(100_000): print(n)", timeout=60)
    assert text(outputs) == "".join(f"{n}\n" for n in range(100_000))
    assert len(outputs) < 300


def test_output_appears_while_the_cell_runs(front):
    msg_id = front.execute("import time; print('now'); time.sleep(2)")
    front.until(msg_id, "stdout", timeout=1)
    front.reply(msg_id)


def test_five_megabytes_in_one_display(front, display):
    _, outputs = front.run(display + "display({'text/plain': 'x' * 5_000_000}, raw=True)", timeout=30)
    assert len(only(outputs, "display_data").content["data"]["text/plain"]) == 5_000_000


def test_output_of_a_thread_goes_to_its_cell(front):
    msg_id = front.execute("import threading, time\nt = threading.Thread(target=lambda: (time.sleep(0.4), print('late')))\nt.start()")
    front.reply(msg_id)
    front.outputs(msg_id)
    _, outputs = front.run("t.join()")
    late = outputs or [front.next_output(msg_id, timeout=2)]
    assert text(late) == "late\n"
    assert late[0].parent_id == msg_id


def test_output_of_a_task_goes_to_its_cell(front):
    code = "import asyncio\nasync_print = asyncio.sleep(0.2)\ntask = asyncio.ensure_future(asyncio.wait_for(async_print, 1))\ntask.add_done_callback(lambda _: print('done'))"
    msg_id = front.execute(code)
    front.reply(msg_id)
    front.outputs(msg_id)
    _, outputs = front.run("await asyncio.sleep(0.5)")
    found = [m for m in outputs if m.label == "stdout"] or [front.next_output(msg_id, timeout=2)]
    assert text(found) == "done\n"


def test_streams_are_proper_files(front):
    code = "import sys\nprint(sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.fileno() >= 0, sys.stdout.write('x'))"
    _, outputs = front.run(code)
    assert text(outputs).lower() == "xutf-8 false true true 1\n"


DEEP = "deep = []\nfor i in range({depth}): deep = [deep]\n"


@pytest.mark.parametrize("what", ["display({'application/json': deep}, raw=True)", "display({'text/plain': '1'}, metadata={'a': deep}, raw=True)",
                                  "1"])
def test_what_lies_too_deep_is_an_error_of_the_cell(front, what):
    """The kernel process takes it for none of ours and ends the interpreter, so the guard looks first."""
    expressions = {"a": "type('R', (), {'_repr_mimebundle_': lambda self, **_: {'application/json': deep}})()"} if what == "1" else {}
    reply, _ = front.run(DEEP.format(depth=300) + what, user_expressions=expressions)
    assert (reply.content["ename"], "more than 256 deep" in reply.content["evalue"]) == ("ValueError", True)
    reply, _ = front.run(DEEP.format(depth=240) + what, user_expressions=expressions)
    assert reply.content["status"] == "ok"


def test_brackets_and_quotes_in_text_are_not_deep(front):
    odd = "[" * 1000 + '\\" {' * 1000
    _, outputs = front.run(f"display({{'application/json': {{'a': {odd!r}, 'b': 'x\\\\'}}}}, raw=True)")
    assert only(outputs, "display_data").content["data"]["application/json"] == {"a": odd, "b": "x\\"}
