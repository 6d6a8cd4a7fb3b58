"""input() and getpass over the stdin channel."""

import time

import pytest
import zmq
from frontend import only, text


def input_request(front, msg_id):
    request = front.receive("stdin")
    assert request.msg_type == "input_request" and request.parent_id == msg_id
    return request


def test_input(front):
    msg_id = front.execute("name = input('who? '); print('hello', name)", allow_stdin=True)
    request = input_request(front, msg_id)
    assert request.content == {"prompt": "who? ", "password": False}
    front.answer_input("wörld\u2028", request)
    assert front.reply(msg_id).content["status"] == "ok"
    assert text(front.outputs(msg_id)) == "hello wörld\u2028\n"


def test_getpass(front):
    msg_id = front.execute("import getpass; len(getpass.getpass('key: '))", allow_stdin=True)
    request = input_request(front, msg_id)
    assert request.content == {"prompt": "key: ", "password": True}
    front.answer_input("secret", request)
    assert only(front.outputs(msg_id), "execute_result").content["data"]["text/plain"] == "6"


def test_what_was_printed_comes_before_the_question(front):
    msg_id = front.execute("print('read this first', end=''); input()", allow_stdin=True)
    request = input_request(front, msg_id)
    assert text(front.until(msg_id, "stdout", timeout=1)) == "read this first"
    front.answer_input("", request)
    front.reply(msg_id)


def without_stdin(front):
    front.sockets["stdin"].close()
    time.sleep(0.3)                    # the kernel has noticed


def test_question_waits_for_a_client_that_is_still_connecting(kernel):
    with kernel.frontend() as front:
        without_stdin(front)
        msg_id = front.execute("print('first'); input()", allow_stdin=True)
        assert text(front.until(msg_id, "stdout")) == "first\n"
        time.sleep(0.5)
        front.sockets["stdin"] = front.connect("stdin", zmq.DEALER, identity=front.identity)
        request = input_request(front, msg_id)
        front.silence("stdin")
        front.answer_input("late", request)
        assert only(front.outputs(msg_id), "execute_result").content["data"]["text/plain"] == "'late'"


def test_question_of_a_cell_that_is_over_is_not_asked(kernel):
    with kernel.frontend() as front:
        without_stdin(front)
        msg_id = front.execute("print('first'); input()", allow_stdin=True)
        front.until(msg_id, "stdout")
        front.send("control", "interrupt_request")
        assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
        front.sockets["stdin"] = front.connect("stdin", zmq.DEALER, identity=front.identity)
        front.silence("stdin", 1)


@pytest.mark.parametrize("function", ["input", "getpass.getpass"])
def test_not_allowed(front, function):
    reply, _ = front.run(f"import getpass\n{function}('?')", allow_stdin=False)
    assert reply.content["ename"] == "StdinNotImplementedError"
    assert "this frontend does not support input requests" in reply.content["evalue"]


def test_end_of_file(front):
    msg_id = front.execute("input()", allow_stdin=True)
    front.answer_input("\x04", input_request(front, msg_id))
    assert front.reply(msg_id).content["ename"] == "EOFError"


def test_stale_and_foreign_answers_are_ignored(front):
    front.send("stdin", "input_reply", {"value": "too early"})
    time.sleep(0.1)
    msg_id = front.execute("input()", allow_stdin=True)
    request = input_request(front, msg_id)
    front.send("stdin", "input_reply", {"value": "of another"}, parent={"msg_id": "somebody_else_1"})
    front.answer_input("right", request)
    assert only(front.outputs(msg_id), "execute_result").content["data"]["text/plain"] == "'right'"


def test_the_one_who_executes_is_asked(kernel, front):
    with kernel.frontend() as other:
        msg_id = other.execute("input('you? ')", allow_stdin=True)
        request = input_request(other, msg_id)
        front.silence("stdin")
        other.answer_input("me", request)
        assert other.reply(msg_id).content["status"] == "ok"


def test_wrong_answer_is_an_error_not_a_hang(front):
    msg_id = front.execute("input()", allow_stdin=True)
    front.send("stdin", "input_reply", {"value": 42}, parent=input_request(front, msg_id).header)
    assert front.reply(msg_id).content["status"] in ("ok", "error")


def test_input_in_a_user_expression_does_not_hang(front):
    reply, _ = front.run("1", user_expressions={"asked": "input()"}, allow_stdin=False)
    assert reply.content["user_expressions"]["asked"]["status"] == "error"
