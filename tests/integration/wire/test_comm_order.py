"""Comm messages that a front end sends to a subshell, and the cells of the main shell before and after them.

With IPython: the plain shell has no comms.
"""

import time

import pytest
from debugger import Debugger
from frontend import labels, only, text
from subshells import create, delete, listed, run, send

MAKE = """
import comm, threading, time
mine, seen, gate = comm.create_comm(target_name='here', comm_id='mine'), [], threading.Event()
def heard(message):
    what = message['content']['data']
    time.sleep(what.get('seconds', 0))
    if 'gate' in what: gate.wait(20)
    while 'endless' in what: pass
    seen.append((what['n'], threading.current_thread() is threading.main_thread()))
    print('heard', what['n'])
mine.on_msg(heard)
"""


@pytest.fixture(scope="module", params=["ipython"])
def shell(request):
    return request.param


@pytest.fixture
def front(start_kernel, shell):
    with start_kernel(shell=shell, policy="ban_defs = false\n").frontend() as front:
        front.run(MAKE)
        yield front


def tell(front, subshell=None, msg_type="comm_msg", **data):
    return front.send("shell", msg_type, {"comm_id": "mine", "data": data}, header={"subshell_id": subshell})


def value(front, code="seen"):
    """Of a cell that is sent now."""
    return eval(text(front.run(f"print({code})")[1]))


@pytest.mark.timing
def test_a_cell_finds_what_messages_before_it_have_changed(front):
    """Also through a callback that takes its time, and with a cell before it that keeps the interpreter to itself."""
    subshell = create(front)
    for n in range(20):
        tell(front, subshell, n=n)
        assert value(front, "seen[-1]") == (n, False)
    for n in (20, 21, 22):
        tell(front, subshell, n=n, seconds=0.4)
    assert value(front, "[n for n, _ in seen[-3:]]") == [20, 21, 22]    # 1.2 s, and each in less than one
    front.send("shell", "execute_request", {"code": "sum(range(20_000_000))"})
    tell(front, subshell, n=23)
    assert value(front, "seen[-1]") == (23, False)
    delete(front, subshell)


@pytest.mark.timing
def test_no_cell_waits_long(front):
    """Nor for ever again: what has been overtaken once is waited for by no other cell."""
    subshell = create(front)
    late = tell(front, subshell, n=1, gate=True)
    began = time.monotonic()
    assert value(front) == []
    assert 0.9 < time.monotonic() - began < 8
    began = time.monotonic()
    tell(front, subshell, n=2)
    assert [value(front) for _ in range(3)] == [[]] * 3
    assert time.monotonic() - began < 2.5
    # A question that waits behind such a cell is answered beside it, as behind any other.
    assert front.ask("complete_request", {"code": "gat", "cursor_pos": 3})["matches"] == ["gate"]
    front.run("gate.set()")
    assert text(front.outputs(late)) == "heard 1\n"
    assert value(front) == [(1, False), (2, False)]


def test_callbacks_run_while_a_cell_runs(front):
    """A comm that this cell has just made, too. The cell counts as busy until it is over."""
    subshell = create(front)
    cell = front.send("shell", "execute_request", {"code":
        "new = comm.create_comm(target_name='here', comm_id='new'); new.on_msg(lambda m: (print('new', m['content']['data']), gate.set()))\n"
        "print('on', flush=True); print(gate.wait(20), seen)"})
    before = front.until(cell, "stdout")
    assert "comm_open" in labels(before)
    first = tell(front, subshell, n=1)
    assert text(front.outputs(first)) == "heard 1\n"
    assert labels(front.until(cell, "busy")) == ["busy"]
    second = front.send("shell", "comm_msg", {"comm_id": "new", "data": 2}, header={"subshell_id": subshell})
    assert text(front.outputs(second)) == "new 2\n"
    assert front.reply(cell).content["status"] == "ok"
    assert "True [(1, False)]" in text(front.outputs(cell))


@pytest.mark.parametrize("where", ["main", "subshell"])
def test_asyncio_in_callbacks(front, where):
    """Tasks go to the one loop that cells use; what a callback sets there wakes a cell that awaits, and tasks of earlier cells."""
    subshell = create(front) if where == "subshell" else None
    front.run("import asyncio\nasync def later(n):\n    await asyncio.sleep(0.01)\n    seen.append((n, threading.current_thread() is threading.main_thread()))\n"
              "mine.on_msg(lambda message: asyncio.create_task(later(message['content']['data']['n'])))")
    time.sleep(0.1)         # the loop has nothing to do, and nobody looks after it
    front.outputs(tell(front, subshell, n=1))
    time.sleep(0.2)
    assert value(front) == [(1, True)]
    front.run("future = asyncio.get_running_loop().create_future()\nmine.on_msg(lambda message: future.set_result(message['content']['data']['n']))\n"
              "async def wait():\n    seen.append(await future)\ntask = asyncio.create_task(wait())")
    front.outputs(tell(front, subshell, n=2))
    time.sleep(0.2)
    assert value(front, "seen[1:]") == [2]
    if subshell:
        cell = send(front, "future = asyncio.get_running_loop().create_future()\nprint('on', flush=True)\nprint(await asyncio.wait_for(future, 10))", None)
        front.until(cell, "stdout")
        began = time.monotonic()
        tell(front, subshell, n=3)
        assert text(front.outputs(cell)) == "3\n"
        assert time.monotonic() - began < 5


def test_a_message_meets_the_callback_of_a_comm_that_is_being_made(front):
    subshell = create(front)
    code = "new = comm.create_comm(target_name='here', comm_id='new'); time.sleep(0.05); new.on_msg(lambda m: seen.append(2)); gate.wait(20)"
    cell = front.send("shell", "execute_request", {"code": code})
    front.until(cell, "comm_open")
    front.outputs(front.send("shell", "comm_msg", {"comm_id": "new", "data": {}}, header={"subshell_id": subshell}))
    run(front, "gate.set()", subshell)
    front.outputs(cell)
    assert value(front) == [2]


def test_events_are_left_to_the_cell_that_runs(front):
    """Inline figures hang on them: those that a cell still draws are not for a callback to show."""
    subshell = create(front)
    front.run("events = []\nget_ipython().events.register('post_execute', lambda: events.append(threading.current_thread() is threading.main_thread()))")
    cell = send(front, "print('on', flush=True); gate.wait(20)", None)
    front.until(cell, "stdout")
    front.outputs(tell(front, subshell, n=1))
    run(front, "gate.set()", subshell)
    front.outputs(cell)
    front.outputs(tell(front, subshell, n=2))
    assert value(front, "events[1:]") == [False, True, False]      # what set the gate, the cell, the second callback


def test_breakpoints_stop_in_callbacks(front):
    """The debugger is the main shell's, and so are messages while it is attached."""
    subshell = create(front)
    debugger = Debugger(front).attach()
    code = "def heard(message):\n    n = 1\n    seen.append(n)\nmine.on_msg(heard)"
    debugger.break_at(code, 2)
    front.run(code)
    message = tell(front, subshell, n=1)
    assert debugger.where() == ("heard", 2)
    debugger.ask("continue", threadId=1)
    assert labels(front.outputs(message))[-1] == "idle"
    debugger.ask("disconnect", restart=False, terminateDebuggee=False)
    assert value(front) == [1]


def test_pages_that_are_loaded_anew_leave_no_subshells_behind(front):
    """What only takes comm messages makes room for new ones; a console stays."""
    console, *pages = [create(front) for _ in range(4)]
    run(front, "1", console)
    front.outputs(tell(front, pages[0], n=0))
    pages += [create(front) for _ in range(30)]
    left = listed(front)
    assert console in left and 14 <= len(left) <= 16 and set(left[1:]) <= set(pages)
    front.outputs(tell(front, pages[0], n=1))
    front.outputs(tell(front, pages[-1], n=2))
    assert value(front) == [(0, False), (1, True), (2, False)]


def test_messages_of_one_comm_keep_their_order(front):
    """A front end sends to the main shell until it knows its subshell; a cell is in the way there."""
    subshell = create(front)
    cell = send(front, "print('on', flush=True); gate.wait(20); print(seen)", None)
    front.until(cell, "stdout")
    for n, where in ((1, None), (2, None), (3, subshell), (4, subshell)):
        last = tell(front, where, n=n)
    assert text(front.outputs(last)) == "heard 4\n"
    run(front, "gate.set()", subshell)
    assert text(front.outputs(cell)) == "[(1, False), (2, False), (3, False), (4, False)]\n"


def test_deleted_subshells_lose_no_message(front):
    """JupyterLab deletes the subshell right behind its last words, on another socket: either may come first."""
    subshell = create(front)
    busy = tell(front, subshell, n=1, seconds=0.3)
    front.until(busy, "busy")
    tell(front, subshell, n=2)
    delete(front, subshell)
    assert listed(front) == []
    front.outputs(busy)
    tell(front, subshell, n=3)      # there is none of this name any more
    first, second, third = value(front)
    assert (first, second[0], third) == ((1, False), 2, (3, True))
    closing = tell(front, subshell, "comm_close")
    assert labels(front.outputs(closing)) == ["busy", "idle"]
    assert front.ask("comm_info_request")["comms"] == {}


def test_an_interrupt_without_a_name_ends_callbacks(front):
    """Front ends interrupt the kernel, not a subshell: an endless callback must not be out of reach; a cell beside it is."""
    subshell, other = create(front), create(front)
    front.run("loop = 'on'")
    callback = tell(front, subshell, n=1, endless=True)
    cell = send(front, "print('on', flush=True)\nwhile loop: pass", other)
    front.until(cell, "stdout")
    waiting = send(front, "1", None)
    assert front.reply(waiting).content["status"] == "ok"       # later, but not never
    front.ask("interrupt_request", channel="control")
    assert labels(front.outputs(callback))[-1] == "idle"
    front.run("loop = ''")
    assert front.reply(cell).content["status"] == "ok"


def test_an_interrupt_reaches_a_cell_that_waits(front):
    subshell = create(front)
    callback = tell(front, subshell, n=1, endless=True)
    waiting = send(front, "1", None)
    question = front.send("shell", "complete_request", {"code": "gat", "cursor_pos": 3})
    time.sleep(0.2)
    front.ask("interrupt_request", channel="control")
    assert front.reply(waiting).content["status"] == "aborted"
    assert front.reply(question).content["matches"] == ["gate"]
    front.outputs(callback)
    assert only(front.run("'on'")[1], "execute_result")
