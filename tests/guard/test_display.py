"""Rich values, and values that JSON cannot hold."""

import base64


def shown(outcome):
    return outcome.all("DISPLAY_DATA")[0]["data"]


def test_rich_representations(guard):
    code = "class R:\n    def _repr_html_(self): return '<b>r</b>'\n    def _repr_png_(self): return b'png'\n    def __repr__(self): return 'R'\nR()"
    data = guard.execute(code).all("EXECUTE_RESULT")[0]["data"]
    assert data == {"text/plain": "R", "text/html": "<b>r</b>", "image/png": base64.b64encode(b"png").decode()}
    assert shown(guard.execute("display(R())")) == data


def test_mime_bundle_with_metadata(guard):
    code = "class B:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n        return {'text/plain': 'b', 'x/y': {'a': [1]}}, {'x/y': {'m': 1}}\nB()"
    content = guard.execute(code).all("EXECUTE_RESULT")[0]
    assert content["data"] == {"text/plain": "b", "x/y": {"a": [1]}} and content["metadata"] == {"x/y": {"m": 1}}


def test_a_form_with_metadata(guard):
    code = "class M:\n    def _repr_html_(self): return '<i>', {'isolated': True}\n    def __repr__(self): return 'M'\nM()"
    content = guard.execute(code).all("EXECUTE_RESULT")[0]
    assert content["data"] == {"text/plain": "M", "text/html": "<i>"} and content["metadata"] == {"text/html": {"isolated": True}}


def test_failing_and_endless_representations(guard):
    assert guard.execute("class F:\n    def _repr_html_(self): 1 / 0\n    def __repr__(self): return 'F'\nF()").result == "F"
    assert guard.execute("class A:\n    def __getattr__(self, name): return lambda *a, **k: {'x': 'y'}\n    def __repr__(self): return 'A'\nA()").result == "A"
    assert guard.execute("R").all("EXECUTE_RESULT")[0]["data"].keys() == {"text/plain"}


def test_update_and_clear(guard):
    outcome = guard.execute("h = display('one', display_id='d'); h.update('two')")
    assert outcome.all("DISPLAY_DATA")[0]["transient"] == {"display_id": "d"}
    assert outcome.all("UPDATE_DISPLAY_DATA")[0]["data"] == {"text/plain": "'two'"}
    assert guard.execute("clear_output(wait=True)").all("CLEAR_OUTPUT") == [{"wait": True}]
    replaced = guard.execute("display(1, clear=True)")
    assert replaced.names == ["CLEAR_OUTPUT", "DISPLAY_DATA", "REPLY"] and replaced.all("CLEAR_OUTPUT") == [{"wait": True}]


def test_values_that_json_lacks(guard):
    code = ("import datetime\ndisplay({'application/json': {'nan': float('nan'), 'inf': [float('inf'), -float('inf')],"
            " 'bytes': b'\\0', 'date': datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),"
            " 'surrogate': '\\ud800', 'pair': '\\ud83d\\ude00', 'big': 10**400, 'huge': 10**5000, 5: None}}, raw=True)")
    data = shown(guard.execute(code))["application/json"]
    assert data["nan"] is None and data["inf"] == [None, None]
    assert data["bytes"] == "AA==" and data["date"] == "2026-01-02T00:00:00Z"
    assert data["surrogate"] == "\ufffd" and data["pair"] == "😀"
    assert data["big"] == 10**400 and data["huge"].startswith("0x") and data["5"] is None


def test_what_is_no_json_is_refused(guard):
    outcome = guard.execute("display({'application/json': object()}, raw=True)")
    assert outcome.error == "TypeError" and "object" in outcome.reply["evalue"]
    assert guard.execute("a = []; a.append(a); display({'x/y': a}, raw=True)").error in ("ValueError", "RecursionError")


def test_order_with_prints(guard):
    assert guard.execute("print('a'); display(1); print('b')").names == ["STDOUT", "DISPLAY_DATA", "STDOUT", "REPLY"]


def test_text_is_not_split_over_the_wire(guard):
    assert guard.execute("'x' * 3_000_000").result == repr("x" * 3_000_000)


def test_publish_refuses_other_types(guard):
    assert guard.execute("from safepyrun import _guard; _guard.publish('execute_reply', {})").error == "ValueError"
    assert guard.execute("_guard.publish('display_data', [])").error == "TypeError"
    outcome = guard.execute("_guard.publish('comm_msg', {'comm_id': 'c', 'data': {}}, None, [b'ab', memoryview(b'c'), bytearray(2)])")
    assert outcome.frames[0].parts[2:] == [b"ab", b"c", b"\0\0"]


def test_late_results_and_errors_name_no_cell_that_is_over(guard):
    """The kernel process ends a guard that does: threads outlive their cells every day."""
    code = ("import threading, time\nfrom safepyrun import _guard\ndef late():\n    time.sleep(0.1)\n"
            "    _guard.publish('execute_result', {'execution_count': 1, 'data': {'text/plain': 'r'}, 'metadata': {}})\n"
            "    _guard.publish('error', {'ename': 'E', 'evalue': 'v', 'traceback': ['E: v']})\n"
            "thread = threading.Thread(target=late); thread.start()")
    first = guard.start(code)
    guard.collect(first)
    guard.execute("thread.join()")
    assert [(frame.name, frame.cell) for frame in guard.late] == [("DISPLAY_DATA", first), ("STDERR", first)]
    assert guard.late[1].text == "E: v\n"
    guard.late.clear()


def test_only_cells_that_were_can_be_named(guard):
    assert guard.execute("_guard.set_current_cell(10**6)").error == "ValueError"
    assert guard.execute("_guard.set_current_cell(0)").error == "ValueError"


def test_texts_of_all_kinds(guard):
    """Short and long, plain and with what JSON escapes, beyond ASCII, and of a class of the cell's."""
    code = ("class Text(str):\n    def isascii(self): return True\n"
            "parts = ['', 'plain', 'quote \" back \\\\ slash /', ''.join(map(chr, range(0x81))), 'é€😀', Text('é\"')]\n"
            "display({'application/json': [each * times for times in (1, 3000) for each in parts]}, raw=True)")
    parts = ["", "plain", 'quote " back \\ slash /', "".join(map(chr, range(0x81))), "é€😀", 'é"']
    assert shown(guard.execute(code))["application/json"] == [each * times for times in (1, 3000) for each in parts]
