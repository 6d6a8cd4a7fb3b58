"""Top-level await, and tasks that outlive their cell."""

import time


def test_await_and_value(guard):
    assert guard.execute("import asyncio\nawait asyncio.sleep(0.01)\n'done'").result == "'done'"
    assert guard.execute("x = await asyncio.sleep(0, 5); x").result == "5"
    assert guard.execute("await asyncio.sleep(0, 6)").result == "6"
    assert guard.execute("await asyncio.sleep(0, 7);").names == ["REPLY"]


def test_async_for_and_with(guard):
    code = ("import asyncio, contextlib\n@contextlib.asynccontextmanager\nasync def opened():\n    yield 3\n"
            "async def numbers():\n    for i in range(3): yield i\n"
            "async with opened() as v:\n    total = [i async for i in numbers()]\ntotal, v")
    assert guard.execute(code).result == "([0, 1, 2], 3)"


def test_error_in_await(guard):
    outcome = guard.execute("async def f():\n    await asyncio.sleep(0)\n    1 / 0\nimport asyncio\nawait f()")
    assert outcome.error == "ZeroDivisionError"
    text = "".join(outcome.reply["traceback"])
    assert "await f()" in text and "_aio" not in text


def test_tasks_go_on_between_cells(guard):
    guard.execute("import asyncio\nticks = []\nasync def tick():\n    while True:\n        ticks.append(1)\n"
                  "        await asyncio.sleep(0.01)\ntask = asyncio.create_task(tick())")
    time.sleep(0.3)
    assert int(guard.execute("len(ticks)").result) > 8
    guard.execute("task.cancel();")


def test_a_task_prints_to_its_cell(guard):
    first = guard.start("import asyncio\nasync def late():\n    await asyncio.sleep(0.1)\n    print('late')\n"
                        "task = asyncio.create_task(late())")
    guard.collect(first)
    guard.execute("await asyncio.sleep(0.3)")
    assert [(frame.cell, frame.text) for frame in guard.late] == [(first, "late\n")]
    guard.late.clear()


def test_running_loop_in_ordinary_cells(guard):
    assert guard.execute("import asyncio; asyncio.get_running_loop() is asyncio.get_event_loop()").result == "True"
    assert guard.execute("f = asyncio.get_running_loop().create_future(); f.set_result(3)").error is None
    assert guard.execute("await f").result == "3"


def test_context_goes_from_statements_to_expression(guard):
    code = "import asyncio, contextvars\nv = contextvars.ContextVar('v')\nawait asyncio.sleep(0)\nv.set(4)\nawait asyncio.sleep(0, v.get())"
    assert guard.execute(code).result == "4"


def test_error_in_a_background_task_ends_nothing(guard):
    guard.execute("async def bad():\n    raise SystemExit(3)\ntask = asyncio.create_task(bad())")
    time.sleep(0.1)
    assert guard.execute("'alive'").result == "'alive'"


def test_closed_loop_is_replaced(fresh):
    fresh.execute("import asyncio; loop = asyncio.get_running_loop()")
    fresh.execute("loop._closed = True")
    assert fresh.execute("await asyncio.sleep(0, 1)").result == "1"


def test_no_asyncio_without_need(fresh):
    assert fresh.execute("import sys; ['a' 'syncio' in sys.modules, 're' in sys.modules]").result.startswith("[False")


def test_cells_inside_of_cells(guard):
    guard.execute("import asyncio; from safepyrun import _guard")
    code = "inner = _guard.run_cell('await asyncio.sleep(0, 8)', True)\ninner['result'], asyncio.get_running_loop().is_closed()"
    assert guard.execute(code).result == "(8, False)"
    code = "await asyncio.sleep(0)\n_guard.run_cell('x = 1')\nawait asyncio.sleep(0)\nx"
    assert guard.execute(code).result == "1"
    outcome = guard.execute("await asyncio.sleep(0)\n_guard.run_cell('await asyncio.sleep(0)')['success']")
    assert outcome.result == "False" and outcome.error == "RuntimeError"
    assert guard.execute("await asyncio.sleep(0, 9)").result == "9"
