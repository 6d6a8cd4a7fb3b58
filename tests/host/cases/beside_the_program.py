"""RunPython in a program that does other things meanwhile: a server, with tasks, streams and names of its own."""

import asyncio
import contextlib
import io
import subprocess
import sys

from host_tools import Skip, raises, refused, refuses

from safepyrun import RunPython, audit_state

WAITS = "import asyncio\nawait asyncio.sleep(0.05)\n"


async def begun(code, **options):
    """The task of a call that waits in the middle of its cell."""
    async def call():
        return await RunPython(**{"g": {}, **options})(code)

    task = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    return task


async def test_tasks_of_the_program_are_not_waited_for():
    cell = await begun(WAITS + "1")
    others = asyncio.create_task(asyncio.sleep(10))
    assert await asyncio.wait_for(cell, 5) == 1
    assert not others.done()
    others.cancel()


async def test_errors_of_the_programs_tasks_are_not_the_cells():
    async def fails():
        await asyncio.sleep(0.06)
        raise ValueError("of the program")

    cell = await begun(WAITS + "t = asyncio.create_task(asyncio.sleep(0.05))\n1")
    other = asyncio.create_task(fails())
    assert await cell == 1
    with raises(ValueError):
        await other


async def test_who_cancels_a_call_cancels_its_tasks_and_no_others():
    async def work():
        await asyncio.sleep(0.2)
        done.append("the cell's")

    done = []
    cell = await begun(WAITS + "t = asyncio.create_task(work())\nNone", g={"work": work})
    other = asyncio.create_task(asyncio.sleep(0.1, "the program's"))
    await asyncio.sleep(0.06)  # the cell is through, its task is waited for
    cell.cancel()
    assert await other == "the program's"
    await asyncio.sleep(0.15)
    assert cell.cancelled() and done == []


async def test_tasks_of_a_cell_that_fails_or_is_cancelled_end():
    async def work():
        await asyncio.sleep(0.05)
        done.append(1)

    done = []
    with raises(ZeroDivisionError):
        await RunPython(g={"work": work})("import asyncio\nt = asyncio.create_task(work())\nawait asyncio.sleep(0.01)\n1/0")
    with raises(asyncio.TimeoutError):
        await asyncio.wait_for(RunPython(g={"work": work})(
            "import asyncio\nt = asyncio.create_task(work())\nawait asyncio.sleep(5)"), 0.02)
    await asyncio.sleep(0.1)
    assert done == []


async def test_a_cell_puts_out_what_it_has_made_and_nothing_else():
    space = {"x": 0, "gone": 1}
    runner = RunPython(g=space)
    cell = await begun(WAITS + "y = x", g=space)
    space["x"] = 7
    del space["gone"]
    await runner("z = x; x = 8")
    await cell
    assert (space["x"], space["y"], space["z"], "gone" in space) == (8, 0, 7, False)


async def test_capture_while_the_program_replaces_its_streams():
    before = sys.stdout
    cell = await begun(WAITS + "print('cell')\nawait asyncio.sleep(0.01)\nprint('cell')", capture=True)
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        print("program")
        assert (await cell)["stdout"] == "cell\ncell\n"
        assert (await RunPython(g={}, capture=True)("print(1)"))["stdout"] == "1\n"
        print("program")
    assert kept.getvalue() == "program\nprogram\n"
    assert (await RunPython(g={}, capture=True)("print(2)"))["stdout"] == "2\n"
    assert sys.stdout is before


async def test_the_programs_stream_is_what_it_was_beside_a_captured_cell():
    cell = await begun(WAITS, capture=True)
    stream = sys.stdout
    assert (stream.encoding, stream.errors, stream.fileno()) == (
        sys.__stdout__.encoding, sys.__stdout__.errors, sys.__stdout__.fileno())
    assert stream.isatty() is sys.__stdout__.isatty()
    await cell


async def test_a_program_without_streams():
    before, sys.stdout = sys.stdout, None
    try:
        cell = await begun(WAITS + "print(1)", capture=True)
        print("nowhere", flush=True)
        assert (await cell)["stdout"] == "1\n"
        assert sys.stdout is None
    finally:
        sys.stdout = before


async def test_a_tool_of_the_program_that_measures_or_debugs_goes_on_in_cells():
    if not hasattr(sys, "monitoring"):
        raise Skip("sys.monitoring is of Python 3.12 and later")
    monitoring, events, lines = sys.monitoring, sys.monitoring.events, []

    def on_start(code, offset):  # as coverage does
        if code.co_filename.startswith("<pyrun_"):
            monitoring.set_local_events(4, code, events.LINE)
        return monitoring.DISABLE

    monitoring.use_tool_id(4, "of the program")
    monitoring.register_callback(4, events.PY_START, on_start)
    monitoring.register_callback(4, events.LINE, lambda code, line: lines.append(line))
    monitoring.set_events(4, events.PY_START)
    runner = RunPython(g={"audit_state": audit_state}, ok_dests=["."])
    assert await runner("x = 1\nx + 1") == 2
    monitoring.set_events(4, 0)
    assert lines == [1, 2]
    own = await runner("audit_state()['tool_id']")
    with refused("monitor the interpreter"):
        await runner("import sys\nsys.monitoring.set_events(4, 0)")
    for tool in (own, "type('T', (), {'__index__': lambda self: 3})()"):
        with refused("monitor the interpreter"):  # a library asks for the cell
            await runner(f"import asyncio, sys\nawait asyncio.to_thread(sys.monitoring.set_events, {tool}, 0)")


def test_what_a_debugger_has_put_before_a_function_of_the_system():
    import _posixsubprocess
    original = _posixsubprocess.fork_exec
    _posixsubprocess.fork_exec = lambda *args: original(*args)  # as debugpy does
    refuses("import subprocess\nsubprocess.run(['true'])", "start a program")
    refuses("fork_exec()", "start a program", g={"fork_exec": original})
    assert subprocess.run(["true"]).returncode == 0
