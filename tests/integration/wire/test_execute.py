"""execute_request as the messaging specification has it: order, flags, counters, the queue."""

import json

import pytest
from frontend import labels, only, text


def test_order_of_a_cell_with_a_result(front):
    msg_id = front.execute("1 + 1")
    messages = front.expect(msg_id, "busy", "execute_input", "execute_result", "idle")
    assert messages[1].content["code"] == "1 + 1"
    assert messages[2].content["data"]["text/plain"] == "2"
    assert messages[2].content["metadata"] == {}
    reply = front.reply(msg_id).content
    assert reply["status"] == "ok"
    assert reply["payload"] == []
    assert reply["user_expressions"] == {}
    counts = {messages[1].content["execution_count"], messages[2].content["execution_count"], reply["execution_count"]}
    assert len(counts) == 1


def test_all_outputs_are_published_before_the_reply(front):
    """Some clients stop listening 100 ms after the reply."""
    msg_id = front.execute("import sys; print('out'); print('err', file=sys.stderr); 3")
    front.reply(msg_id)
    assert labels(front.until(msg_id, "idle", timeout=0.1)) == [
        "busy", "execute_input", "stdout", "stderr", "execute_result", "idle"]


def test_parent_header_is_the_request_verbatim(front):
    msg_id = front.send("shell", "execute_request", {"code": "print(1)"}, header={"extra": "kept", "n": 2**70})
    messages = front.outputs(msg_id)
    for message in [*messages, front.reply(msg_id)]:
        assert message.parent_header["extra"] == "kept"
        assert message.parent_header["n"] == 2**70
        assert message.header["session"] == messages[0].header["session"]
    assert len({message.header["msg_id"] for message in messages}) == len(messages)


def test_stdout_and_stderr_keep_their_order(front):
    code = "import sys\nfor n in range(3):\n    print(n); print(n, file=sys.stderr)"
    _, outputs = front.run(code)
    assert labels(outputs) == ["stdout", "stderr"] * 3


def test_print_and_file_descriptor_keep_their_order(front):
    _, outputs = front.run("import os\nfor n in range(5):\n    print('p', n); os.write(1, b'w %d\\n' % n)")
    assert text(outputs) == "".join(f"p {n}\nw {n}\n" for n in range(5))


def test_no_result_for_none_and_statements(front):
    for code in ("None", "x = 3", "", "# only a comment"):
        msg_id = front.execute(code)
        front.expect(msg_id, "busy", "execute_input", "idle")
        assert front.reply(msg_id).content["status"] == "ok"


def test_error(front):
    reply, outputs = front.run("1 / 0")
    error = only(outputs, "error").content
    assert reply.content["status"] == "error"
    for content in (error, reply.content):
        assert content["ename"] == "ZeroDivisionError"
        assert content["evalue"] == "division by zero"
        assert any("1 / 0" in line or "ZeroDivisionError" in line for line in content["traceback"])
    assert isinstance(reply.content["execution_count"], int)


def test_syntax_error_names_the_place(front):
    reply, outputs = front.run("x = (1,\ny = 2")
    assert reply.content["ename"] == "SyntaxError"
    assert "^" in "\n".join(only(outputs, "error").content["traceback"])


def test_traceback_shows_no_frame_of_ours(front):
    reply, _ = front.run("import json\njson.loads('{')")
    trace = "\n".join(reply.content["traceback"])
    assert "json" in trace
    assert "safepyrun" not in trace


def test_silent_broadcasts_status_only(front):
    before = front.run("0")[0].content["execution_count"]
    code = "import sys\nprint('loud'); print('louder', file=sys.stderr); 42"
    msg_id = front.execute(code, silent=True)
    front.expect(msg_id, "busy", "idle")
    assert front.reply(msg_id).content["status"] == "ok"
    msg_id = front.execute("1 / 0", silent=True)
    front.expect(msg_id, "busy", "idle")
    assert front.reply(msg_id).content["ename"] == "ZeroDivisionError"
    assert front.run("0")[0].content["execution_count"] == before + 1


def test_store_history_false_leaves_the_counter(front):
    before = front.run("0")[0].content["execution_count"]
    msg_id = front.execute("5", store_history=False)
    messages = front.expect(msg_id, "busy", "execute_input", "execute_result", "idle")
    counts = {messages[1].content["execution_count"], messages[2].content["execution_count"]}
    assert counts == {front.reply(msg_id).content["execution_count"]}
    assert front.run("0")[0].content["execution_count"] == before + 1


def test_user_expressions(front):
    expressions = {"sum": "a + 1", "bad": "1 / 0", "gone": "no_such_name"}
    reply, _ = front.run("a = 41", user_expressions=expressions)
    found = reply.content["user_expressions"]
    assert found["sum"]["status"] == "ok"
    assert found["sum"]["data"]["text/plain"] == "42"
    assert found["sum"]["metadata"] == {}
    assert found["bad"]["status"] == "error" and found["bad"]["ename"] == "ZeroDivisionError"
    assert found["gone"]["ename"] == "NameError"


def test_user_expressions_are_not_evaluated_after_an_error(front):
    reply, _ = front.run("1 / 0", user_expressions={"side": "side_effect = 1"})
    assert not reply.content.get("user_expressions")


def test_error_aborts_the_executions_that_wait(front):
    code = "import time; time.sleep(0.3); 1 / 0"
    first, *waiting = [front.execute(each) for each in (code, "print('second')", "print('third')")]
    front.reply(first)
    for msg_id in waiting:
        assert front.reply(msg_id).content == {"status": "aborted"}
        front.expect(msg_id, "busy", "idle")
    assert text(front.run("print('fine')")[1]) == "fine\n"


def test_error_aborts_what_has_not_been_read_yet(front):
    """Cells so large that the kernel is still reading them when the first has failed."""
    padding, headers, sent = "#" * 2_000_000, [], []
    for _ in range(60):
        headers.append(front.header("execute_request"))
        frames = [json.dumps(part).encode() for part in (headers[-1], {}, {}, {"code": "1" + padding})]
        sent.append((frames, front.sign(frames)))
    first = front.execute("import time; time.sleep(0.05); 1 / 0")
    for frames, signature in sent:
        front.send_frames("shell", frames, signature=signature)
    assert front.reply(first).content["status"] == "error"
    found = [front.reply(header["msg_id"]).content["status"] for header in headers]
    assert found == sorted(found), found     # all that was there is aborted; what came after the error may run


def test_an_error_does_not_abort_what_is_sent_in_answer_to_it(front):
    for _ in range(40):
        front.reply(front.execute("1 / 0"))
        assert front.reply(front.execute("1")).content["status"] == "ok"


def test_stop_on_error_false_goes_on(front):
    first = front.execute("import time; time.sleep(0.2); 1 / 0", stop_on_error=False)
    second = front.execute("print('second')")
    assert front.reply(first).content["status"] == "error"
    assert front.reply(second).content["status"] == "ok"


def test_only_executions_are_aborted(front):
    first = front.execute("import time; time.sleep(0.3); 1 / 0")
    asked = [
        front.send("shell", "kernel_info_request"),
        front.send("shell", "complete_request", {"code": "impo", "cursor_pos": 4}),
        front.send("shell", "is_complete_request", {"code": "1"}),
        front.send("shell", "comm_info_request"),
    ]
    assert front.reply(first).content["status"] == "error"
    for msg_id in asked:
        assert front.reply(msg_id).content["status"] in ("ok", "complete")


def test_reply_metadata_tells_when_it_started(front):
    reply, _ = front.run("1")
    assert reply.metadata["started"].endswith("Z")
    assert reply.metadata.get("status", "ok") == "ok"


def test_top_level_await(front):
    reply, outputs = front.run("import asyncio\nawait asyncio.sleep(0.01)\nprint('woke')\nawait asyncio.sleep(0, 7)")
    assert text(outputs) == "woke\n"
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "7"


def test_names_stay(front):
    front.run("kept = [1, 2]")
    _, outputs = front.run("kept")
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "[1, 2]"


def test_execute_on_control(front):
    reply, outputs = front.run("6 * 7", channel="control")
    assert reply.content["status"] == "ok"
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "42"


@pytest.mark.parametrize("count", [200])
def test_pipelined_cells_are_all_answered_in_order(front, count):
    msg_ids = [front.execute(f"print({n})") for n in range(count)]
    counts = [front.reply(msg_id).content["execution_count"] for msg_id in msg_ids]
    assert counts == list(range(counts[0], counts[0] + count))
    for n, msg_id in enumerate(msg_ids):
        assert text(front.outputs(msg_id)) == f"{n}\n"


def test_who_listens_to_all_hears_of_pipelined_cells_one_after_the_other(front):
    """Busy, what it gave, idle, and only then the next one's: though much of it is collected, and what was written to fd 1 comes another way."""
    sent = []
    for n in range(30):
        sent.append((front.execute(f"print({n}); {n}"), ["busy", "execute_input", "stdout", "execute_result", "idle"]))
        sent.append((front.execute("1 / 0", stop_on_error=False), ["busy", "execute_input", "error", "idle"]))
        sent.append((front.execute("import os; _ = os.write(1, b'fd')", silent=n % 2 == 1),
                     ["busy", "idle"] if n % 2 else ["busy", "execute_input", "stdout", "idle"]))
    heard = []
    while len(heard) < sum(len(labels) for _, labels in sent):
        message = front.receive("iopub")
        heard.append((message.parent_id, message.label))
    assert heard == [(msg_id, label) for msg_id, labels in sent for label in labels]


def test_what_a_cell_gave_does_not_wait_for_those_behind_it(front):
    """Answers are collected while further cells wait, but for a moment only: the second cell runs until it is interrupted."""
    first, second, third = (front.execute(code) for code in ("print('one'); 1", "print('two', flush=True)\nwhile True: pass", "3"))
    assert front.reply(first, timeout=5).content["status"] == "ok"
    assert text(front.outputs(first)) == "one\n"
    front.until(second, "stdout")
    front.send("control", "interrupt_request", {})
    assert front.reply(second).content["ename"] == "KeyboardInterrupt"
    assert front.reply(third).content["status"] == "aborted"


def test_cells_that_wait_are_all_answered_when_the_kernel_ends(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    msg_ids = [front.execute("1" if n else "print('on', flush=True)\nwhile True: pass") for n in range(100)]
    front.until(msg_ids[0], "stdout")
    front.send("control", "shutdown_request", {"restart": False})
    assert [front.reply(msg_id).content["status"] for msg_id in msg_ids] == ["error"] * len(msg_ids)
    assert kernel.wait(2.5) == 0
