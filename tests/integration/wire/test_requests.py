"""Every other request: its reply, its shape, and an answer to what is wrong with it."""

import os
import socket
import time

import pytest
from frontend import labels, only


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_kernel_info(front, channel):
    info = front.ask("kernel_info_request", channel=channel)
    assert info["status"] == "ok"
    assert info["protocol_version"] == "5.6"
    assert info["implementation"] == "safepyrun"
    language = info["language_info"]
    assert language["name"] == "python"
    assert language["mimetype"] == "text/x-python"
    assert language["file_extension"] == ".py"
    assert language["pygments_lexer"] == "ipython3"
    assert language["codemirror_mode"] == {"name": "ipython", "version": 3}
    assert language["nbconvert_exporter"] == "python"
    assert language["version"].startswith("3.")
    assert isinstance(info["banner"], str) and isinstance(info["help_links"], list)
    assert isinstance(info["supported_features"], list)


def test_complete_attribute(front):
    front.run("import os")
    reply = front.ask("complete_request", {"code": "os.path.spl", "cursor_pos": 11})
    assert reply["status"] == "ok"
    found = {reply_match.rsplit(".", 1)[-1] for reply_match in reply["matches"]}
    assert {"split", "splitext"} <= found
    assert reply["cursor_end"] == 11
    assert isinstance(reply["metadata"], dict)


def test_complete_counts_code_points(front):
    front.run("zebra_é = 1")
    code = "'😀é'; zebra"
    reply = front.ask("complete_request", {"code": code, "cursor_pos": len(code)})
    assert "zebra_é" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 5, len(code))


@pytest.mark.parametrize("cursor_pos", [-3, 0, 10**6])
def test_cursor_outside_of_the_code_is_clamped(front, cursor_pos):
    assert front.ask("complete_request", {"code": "pri", "cursor_pos": cursor_pos})["status"] == "ok"
    assert front.ask("inspect_request", {"code": "print", "cursor_pos": cursor_pos})["status"] == "ok"


def test_complete_at_the_end_without_a_cursor(front):
    reply = front.ask("complete_request", {"code": "prin"})
    assert reply["status"] == "error" or any(match.startswith("print") for match in reply["matches"])


def test_inspect(front):
    reply = front.ask("inspect_request", {"code": "len", "cursor_pos": 3, "detail_level": 0})
    assert reply["status"] == "ok" and reply["found"] is True
    assert "Return the number of items" in reply["data"]["text/plain"]


def test_inspect_unknown_name(front):
    reply = front.ask("inspect_request", {"code": "no_such_thing", "cursor_pos": 5, "detail_level": 0})
    assert (reply["status"], reply["found"], reply["data"]) == ("ok", False, {})


SLOW = """
class Slow:
    def __repr__(self):
        while True: pass
slow = Slow()
"""


def test_inspection_does_not_hold_cells_up(start_kernel):
    with start_kernel(policy="ban_defs = false\n").frontend() as front:
        front.run(SLOW)
        started = time.monotonic()
        msg_id = front.send("shell", "inspect_request", {"code": "slow", "cursor_pos": 4, "detail_level": 0})
        cell = front.execute("6 * 7")
        assert front.reply(msg_id).content["status"] == "ok"
        assert front.reply(cell).content["status"] == "ok" and time.monotonic() - started < 10


def test_completion_does_not_hold_cells_up(start_kernel):
    """A matcher of the user's own is called, but not for ever; what can be told at once is told."""
    with start_kernel(shell="ipython", policy="ban_defs = false\n").frontend() as front:
        front.run("def slow(text):\n    while True: pass\n"
                  "get_ipython().Completer.custom_matchers.append(slow)\nalphabet = 1")
        started = time.monotonic()
        matches = front.ask("complete_request", {"code": "alphab", "cursor_pos": 6})["matches"]
        assert "alphabet" in matches and time.monotonic() - started < 10
        assert front.run("6 * 7")[0].content["status"] == "ok"


@pytest.mark.parametrize(("code", "status"), [
    ("x = 1", "complete"), ("for n in range(3):", "incomplete"), ("x = (1,", "incomplete"),
    ("'''text", "incomplete"), ("x = = 1", "invalid"), ("import", "invalid"), ("", "complete"),
])
def test_is_complete(front, code, status):
    reply = front.ask("is_complete_request", {"code": code})
    assert reply["status"] == status
    if status == "incomplete":
        assert isinstance(reply["indent"], str)


def test_is_complete_indents_after_a_colon(front):
    assert front.ask("is_complete_request", {"code": "if x:"})["indent"].strip(" ") == ""
    assert len(front.ask("is_complete_request", {"code": "if x:"})["indent"]) == 4


def test_comm_info_is_empty_at_first(front):
    assert front.ask("comm_info_request") == {"status": "ok", "comms": {}}
    assert front.ask("comm_info_request", {"target_name": "nothing"})["comms"] == {}


def test_connect(front, kernel):
    reply = front.ask("connect_request")
    for channel in ("shell", "iopub", "stdin", "control", "hb"):
        assert reply[f"{channel}_port"] == kernel.connection[f"{channel}_port"]


def test_usage(front, kernel):
    reply = front.ask("usage_request", channel="control")
    assert reply["hostname"] == socket.gethostname()
    assert isinstance(reply["pid"], int)
    assert reply["cpu_count"] == os.cpu_count()
    assert 5e6 < reply["kernel_memory"] < 1e9
    assert reply["kernel_cpu"] >= 0
    memory = reply["host_virtual_memory"]
    for name in ("active", "available", "free", "inactive", "percent", "total", "used"):
        assert memory[name] >= 0
    assert 0 <= reply["host_cpu_percent"] <= 100


def test_heartbeat(front):
    assert front.ping(b"a beat \x00\xff") == b"a beat \x00\xff"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_unknown_request_is_answered_with_an_error(front, channel):
    msg_id = front.send(channel, "no_such_request", {})
    reply = front.reply(msg_id, channel=channel)
    assert reply.msg_type == "no_such_reply"
    assert reply.content["status"] == "error"
    assert labels(front.outputs(msg_id)) == ["busy", "idle"]


def test_unknown_message_that_asks_nothing(front):
    msg_id = front.send("shell", "gossip", {"a": 1})
    assert labels(front.outputs(msg_id)) == ["busy", "idle"]
    front.silence("shell")


@pytest.mark.parametrize(("msg_type", "content"), [
    ("execute_request", {}),
    ("execute_request", {"code": 3}),
    ("execute_request", {"code": "1", "silent": "yes"}),
    ("complete_request", {}),
    ("complete_request", {"code": 1, "cursor_pos": 1}),
    ("complete_request", {"code": "a", "cursor_pos": "end"}),
    ("inspect_request", {}),
    ("inspect_request", {"code": "a", "cursor_pos": None}),
    ("is_complete_request", {}),
    ("is_complete_request", {"code": []}),
    ("history_request", {}),
    ("history_request", {"hist_access_type": "sideways"}),
    ("comm_info_request", {"target_name": 4}),
])
def test_missing_and_wrong_fields_are_answered(front, msg_type, content):
    reply = front.ask(msg_type, content)
    assert reply["status"] == "error"
    assert reply["ename"] and reply["evalue"] and isinstance(reply["traceback"], list)


def test_content_that_is_no_object(front):
    for content in ([], "text", 3):
        assert front.ask("kernel_info_request", content)["status"] == "error"


def test_comm_for_an_unknown_target_is_closed(front):
    msg_id = front.send("shell", "comm_open", {"comm_id": "lost", "target_name": "nobody", "data": {}})
    messages = front.outputs(msg_id)
    assert "comm_close" in labels(messages)
    assert only(messages, "comm_close").content["comm_id"] == "lost"
    assert front.ask("comm_info_request")["comms"] == {}


@pytest.mark.parametrize("msg_type", ["comm_msg", "comm_close"])
def test_unknown_comm_is_no_noise(front, msg_type):
    assert labels(front.outputs(front.send("shell", msg_type, {"comm_id": "never-opened", "data": {}}))) == ["busy", "idle"]


def test_wrong_content_of_comms(front):
    for content in ({}, {"comm_id": 3, "data": {}}, {"comm_id": "x", "data": []}, {"comm_id": None}):
        for msg_type in ("comm_open", "comm_msg", "comm_close"):
            front.outputs(front.send("shell", msg_type, content))
    assert front.ask("comm_info_request")["comms"] == {}
