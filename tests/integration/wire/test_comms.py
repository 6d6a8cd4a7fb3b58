"""comm_open, comm_msg and comm_close, both ways, with binary buffers.

With IPython: the plain shell has no comms, test_requests.py asks it so.
"""

import pytest
from frontend import labels, only


@pytest.fixture(scope="module", params=["ipython"])
def shell(request):
    return request.param


OPEN_HERE = """
import comm
mine = comm.create_comm(target_name='here', comm_id='cell-made', data={'n': 1}, buffers=[b'\\x00\\xff', b''])
heard = []
mine.on_msg(lambda message: heard.append((message['content']['data'], [bytes(b) for b in message['buffers']])))
"""
ECHO = """
import comm
opened = []
comm.get_comm_manager().register_target('echo', lambda c, message: (opened.append(c), c.on_msg(
    lambda m: c.send(m['content']['data'], buffers=[bytes(b)[::-1] for b in m['buffers']]))))
"""


def comm(front, msg_type, comm_id, buffers=(), **content):
    return front.send("shell", msg_type, {"comm_id": comm_id, "data": {}, **content}, buffers=buffers)


def known(front):
    """But for the widgets of whatever tests ran before in this kernel."""
    return {name: comm for name, comm in front.ask("comm_info_request")["comms"].items() if comm["target_name"] != "jupyter.widget"}


def test_a_comm_that_the_guard_is_not_told_of(front):
    """The link takes a thousand parts."""
    msg_id = comm(front, "comm_open", "too-much", buffers=[b""] * 2000, target_name="here")
    assert labels(front.outputs(msg_id)) == ["busy", "idle"]
    assert "too-much" not in known(front)


def test_kernel_opens_sends_and_closes(front):
    _, outputs = front.run(OPEN_HERE)
    opened = only(outputs, "comm_open")
    assert opened.content["comm_id"] == "cell-made"
    assert opened.content["target_name"] == "here"
    assert opened.content["data"] == {"n": 1}
    assert opened.buffers == [b"\x00\xff", b""]
    assert known(front) == {"cell-made": {"target_name": "here"}}
    assert front.ask("comm_info_request", {"target_name": "elsewhere"})["comms"] == {}
    msg_id = comm(front, "comm_msg", "cell-made", data={"x": "é"}, buffers=[b"\xfe" * 10])
    assert labels(front.outputs(msg_id)) == ["busy", "idle"]
    _, outputs = front.run("heard")
    assert only(outputs, "execute_result").content["data"]["text/plain"] == f"[({{'x': 'é'}}, [{bytes([0xfe] * 10)!r}])]"
    _, outputs = front.run("mine.send({'back': True}, buffers=[b'b' * 1000])")
    assert only(outputs, "comm_msg").buffers == [b"b" * 1000]
    _, outputs = front.run("mine.close({'bye': 1})")
    assert only(outputs, "comm_close").content["data"] == {"bye": 1}
    assert known(front) == {}


def test_front_end_opens_and_is_echoed(front):
    front.run(ECHO)
    front.outputs(comm(front, "comm_open", "front-made", target_name="echo"))
    assert known(front) == {"front-made": {"target_name": "echo"}}
    big = bytes(range(256)) * 40000
    msg_id = comm(front, "comm_msg", "front-made", data={"deep": [1, {"a": None}]}, buffers=[b"", b"abc", big])
    messages = front.outputs(msg_id)
    assert labels(messages) == ["busy", "comm_msg", "idle"]
    assert messages[1].content["data"] == {"deep": [1, {"a": None}]}
    assert messages[1].buffers == [b"", b"cba", big[::-1]]
    front.outputs(comm(front, "comm_close", "front-made"))
    assert known(front) == {}


def test_error_in_a_handler_does_not_hurt(front):
    front.run("import comm\ncomm.get_comm_manager().register_target('broken', lambda c, m: 1 / 0)")
    front.outputs(comm(front, "comm_open", "bad", target_name="broken"))
    assert front.run("1")[0].content["status"] == "ok"


def test_widget(front):
    _, outputs = front.run("import ipywidgets\nslider = ipywidgets.IntSlider(3)\nslider", timeout=30)
    shown = [message for message in outputs if message.label in ("execute_result", "display_data")]
    assert "application/vnd.jupyter.widget-view+json" in shown[0].content["data"]
    model = [message.content["comm_id"] for message in outputs if message.label == "comm_open"][-1]
    front.outputs(comm(front, "comm_msg", model, data={"method": "update", "state": {"value": 42}, "buffer_paths": []}))
    _, outputs = front.run("slider.value")
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "42"


def test_a_reset_leaves_no_comm(start_kernel, shell):
    front = start_kernel(shell=shell, policy="[limits]\ncopies = 0\n").frontend()
    front.run(OPEN_HERE)
    assert "cell-made" in front.ask("comm_info_request")["comms"]
    front.run("%guard reset")
    assert known(front) == {}
