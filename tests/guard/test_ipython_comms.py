"""Comms and widgets: messages and binary buffers in both directions."""

import pytest

pytest_plugins = ["ipython_session"]

ECHO = """
def greet(comm, message):
    @comm.on_msg
    def answer(message):
        comm.send({'echo': message['content']['data']}, buffers=[b'<' + bytes(message['buffers'][0])])
get_ipython().kernel.comm_manager.register_target('echo', greet)
"""


def test_front_end_opens_sends_and_closes(ipython):
    ipython.run(ECHO)
    ipython.comm("comm_open", {"comm_id": "c1", "target_name": "echo", "data": {}})
    answered = ipython.comm("comm_msg", {"comm_id": "c1", "data": {"n": 5}}, buffers=[b"\x00\xff"])
    assert answered.one("comm_msg") == {"comm_id": "c1", "data": {"echo": {"n": 5}}}
    assert answered.buffers == [[b"<\x00\xff"]]
    ipython.comm("comm_close", {"comm_id": "c1", "data": {}})
    assert ipython.run("list(get_ipython().kernel.comm_manager.comms)") \
        .result["data"]["text/plain"] == "[]"


def test_unknown_target_is_closed_again(ipython):
    closed = ipython.comm("comm_open", {"comm_id": "c2", "target_name": "nobody", "data": {}})
    assert closed.one("comm_close") == {"comm_id": "c2", "data": {}}


def test_unknown_comm_is_silent(ipython):
    assert ipython.comm("comm_msg", {"comm_id": "gone", "data": {}}).messages == []


def test_error_of_a_callback_is_shown(ipython):
    ipython.run("def greet(comm, message): comm.on_msg(lambda message: 1 / 0)\n"
                "get_ipython().kernel.comm_manager.register_target('broken', greet)")
    ipython.comm("comm_open", {"comm_id": "c3", "target_name": "broken", "data": {}})
    failed = ipython.comm("comm_msg", {"comm_id": "c3", "data": {}})
    assert failed.one("error")["ename"] == "ZeroDivisionError"


def test_widget_round_trip(ipython):
    made = ipython.run("import ipywidgets\nslider = ipywidgets.IntSlider(value=3)\nslider")
    view = made.result["data"]["application/vnd.jupyter.widget-view+json"]
    opened = [content["comm_id"] for name, content in made.messages if name == "comm_open"]
    assert view["model_id"] in opened
    moved = ipython.run("slider.value = 9")
    assert moved.one("comm_msg")["data"]["state"] == {"value": 9}
    ipython.run("seen = []\nslider.observe(lambda change: seen.append(change.new), 'value')")
    ipython.comm("comm_msg", {"comm_id": view["model_id"], "data": {
        "method": "update", "state": {"value": 42}, "buffer_paths": []}})
    assert ipython.run("(slider.value, seen)").result["data"]["text/plain"] == "(42, [42])"


def test_widget_sends_binary_state(ipython):
    made = ipython.run("import ipywidgets\nimage = ipywidgets.Image(value=b'\\x00\\xff')")
    sent = [buffers for buffers in made.buffers if buffers]
    assert sent == [[b"\x00\xff"]]


def test_output_widget_names_its_cell(ipython):
    cell = ipython.run("import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('inside')")
    states = [content["data"]["state"] for name, content in cell.messages if name == "comm_msg"]
    assert states == [{"msg_id": cell.msg_id}, {"msg_id": ""}]
    assert cell.stdout == "inside\n"


def test_progress_bars(ipython):
    cell = ipython.run("from tqdm.notebook import tqdm\nfor i in tqdm(range(3)): pass")
    assert cell.reply["status"] == "ok"
    assert "application/vnd.jupyter.widget-view+json" in cell.one("display_data")["data"]


def test_progress_bars_choose_the_notebook_form(ipython):
    cell = ipython.run("from tqdm.auto import tqdm\nfor i in tqdm(range(3)): pass")
    assert "application/vnd.jupyter.widget-view+json" in cell.one("display_data")["data"]


def test_comms_made_by_the_names_of_ipykernel(ipython):
    cell = ipython.run("from ipykernel.comm import Comm\n"
                       "made = Comm(target_name='plot', data={'a': 1})\nmade.send({'b': 2})")
    assert cell.one("comm_open")["target_name"] == "plot"
    assert cell.one("comm_msg")["data"] == {"b": 2}


def test_ipykernel_itself_finds_the_comms_of_the_session(ipython):
    """Importing it puts its own functions into the package comm; widgets went to a manager that nobody asks."""
    pytest.importorskip("ipykernel.ipkernel")
    cell = ipython.run("import ipykernel.ipkernel, comm, ipywidgets\nassert comm.get_comm_manager() is get_ipython().kernel.comm_manager\n"
                       "ipywidgets.IntSlider(3)")
    assert "application/vnd.jupyter.widget-view+json" in cell.result["data"]
