"""The kernel process answers by itself while a cell holds the GIL, and knows how long it takes."""

import time

import pytest
from long_cells import holds_the_gil

HOLDS_THE_GIL = holds_the_gil(1.5)
PURE_PYTHON = "import time; print('on', flush=True)\nend = time.time() + 1.5\nwhile time.time() < end: pass"


@pytest.mark.timing
@pytest.mark.parametrize("code", [HOLDS_THE_GIL, PURE_PYTHON], ids=["gil", "loop"])
@pytest.mark.parametrize("msg_type", ["kernel_info_request", "usage_request"])
def test_control_while_a_cell_runs(front, code, msg_type):
    msg_id = front.execute(code)
    front.until(msg_id, "stdout")
    time.sleep(0.1)
    took = []
    for _ in range(5):
        began = time.monotonic()
        assert front.ask(msg_type, channel="control")["status"] == "ok"
        took.append(time.monotonic() - began)
    assert min(took) < 0.05, took
    assert not front.unread["shell"] and not front.sockets["shell"].poll(0), "the cell was over too early"
    assert front.reply(msg_id, timeout=60).content["status"] == "ok"


def test_shell_answers_what_needs_no_python(front):
    msg_id = front.execute(PURE_PYTHON)
    front.until(msg_id, "stdout")
    for msg_type in ("kernel_info_request", "comm_info_request", "connect_request"):
        assert front.ask(msg_type, timeout=1)["status"] == "ok"
    assert front.ask("history_request", {"hist_access_type": "tail", "n": 1, "raw": True, "output": False}, timeout=1)["status"] == "ok"
    assert front.ping(timeout=1) == b"ping"
    front.reply(msg_id)


def test_completion_that_waited_is_answered(front):
    front.execute("import time; time.sleep(0.03); waited_for = 1")
    code = "waited_f"
    assert "waited_for" in front.ask("complete_request", {"code": code, "cursor_pos": len(code)})["matches"]
