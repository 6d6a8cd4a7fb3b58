"""input() and getpass.getpass()."""

import json
import time


def test_answer(guard):
    outcome = guard.execute("name = input('Who? ')\nname", answers=["Ada"])
    assert outcome.result == "'Ada'"
    assert outcome.all("INPUT_REQUEST") == [{"prompt": "Who? ", "password": False}]


def test_text_before_the_question_comes_first(guard):
    outcome = guard.execute("print('a'); input(); print('b')", answers=[""])
    assert outcome.names == ["STDOUT", "INPUT_REQUEST", "STDOUT", "REPLY"]


def test_getpass(guard):
    outcome = guard.execute("import getpass\ngetpass.getpass(), getpass.getpass('Key: ')", answers=["a", "b"])
    assert outcome.result == "('a', 'b')"
    assert outcome.all("INPUT_REQUEST") == [{"prompt": "Password: ", "password": True}, {"prompt": "Key: ", "password": True}]


def test_end_of_input(guard):
    assert guard.execute("input()", answers=["\x04"]).error == "EOFError"


def test_not_allowed(guard):
    outcome = guard.execute("input()", allow_stdin=False)
    assert outcome.names == ["ERROR", "REPLY"] and outcome.error == "StdinNotImplementedError"
    assert outcome.reply["evalue"] == "raw_input was called, but this frontend does not support input requests."


def test_interrupt_while_waiting(guard):
    cell = guard.start("input('?')")
    assert guard.receive().name == "INPUT_REQUEST"
    time.sleep(0.05)
    guard.interrupt()
    assert guard.collect(cell).error == "KeyboardInterrupt"
    guard.send("INPUT_REPLY", cell, b'{"value": "too late"}')
    assert guard.execute("input()", answers=["in time"]).result == "'in time'"


def test_requests_that_come_meanwhile_wait(guard):
    cell = guard.start("input('?')")
    assert guard.receive().name == "INPUT_REQUEST"
    later = guard.start("'later'")
    guard.send("INPUT_REPLY", cell, json.dumps({"value": "x"}).encode())
    assert guard.collect(cell).result == "'x'"
    assert guard.collect(later).result == "'later'"


def test_answers_of_the_wrong_shape(guard):
    cell = guard.start("input()")
    assert guard.receive().name == "INPUT_REQUEST"
    guard.send("INPUT_REPLY", cell, b"[1]")
    assert guard.collect(cell).result == "''"


def test_in_a_thread(guard):
    code = "import threading\nt = threading.Thread(target=input); t.start(); t.join()"
    assert "main thread" in guard.execute(code).stderr


def test_stdin_is_empty(guard):
    assert guard.execute("import sys; sys.stdin.read()").result == "''"


def test_a_task_of_an_earlier_cell_cannot_ask(guard):
    guard.execute("import asyncio\nasync def ask():\n    await asyncio.sleep(0.05)\n    input()\ntask = asyncio.create_task(ask())")
    time.sleep(0.15)
    assert "StdinNotImplementedError" in guard.execute("repr(task.exception())").result
