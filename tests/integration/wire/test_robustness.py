"""Bytes that no well-meaning client would send: dropped or answered, and the kernel lives."""

import json
import os
import socket
import time

import pytest
from frontend import DELIMITER, Frontend, labels, only, text


@pytest.fixture(autouse=True)
def kernel_lives(kernel, front):
    guard = kernel.guard().pid
    yield
    assert kernel.process.poll() is None
    assert kernel.guard().pid == guard, "the guard was replaced"
    assert text(front.run("print('alive')")[1]) == "alive\n"
    front.silence("shell", 0.05)


def parts(front, content="{}", msg_type="kernel_info_request", header=None, parent="{}", metadata="{}"):
    header = header if header is not None else json.dumps(front.header(msg_type))
    return [each.encode() if isinstance(each, str) else each for each in (header, parent, metadata, content)]


def msg_id_of(frames):
    return json.loads(frames[0])["msg_id"]


def refused(front, frames):
    """A validly signed message that is wrong inside: answered with an error between busy and idle."""
    front.send_frames("shell", frames)
    reply = front.reply(msg_id_of(frames))
    assert reply.content["status"] == "error", reply.content
    assert labels(front.outputs(msg_id_of(frames))) == ["busy", "idle"]


SIGNATURES = {
    "none": b"",
    "short": b"abc",
    "zeros": b"0" * 64,
    "long": b"0" * 6400,
    "not hex": b"\xff" * 64,
}


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
def test_wrong_signature_is_dropped(front, channel, signature):
    front.send_frames(channel, parts(front), signature=SIGNATURES[signature])
    front.silence(channel, 0.1)
    front.silence("iopub", 0.05)


def test_upper_case_signature_is_dropped(front):
    frames = parts(front)
    signature = front.sign(frames).upper()
    if signature == signature.lower():
        return
    front.send_frames("shell", frames, signature=signature)
    front.silence("shell", 0.1)


def test_signature_with_another_key_is_dropped(front):
    frames = parts(front)
    front.send_frames("shell", frames, signature=front.sign(frames, key="another key"))
    front.silence("shell", 0.1)


def test_changed_content_is_dropped(front):
    frames = parts(front, '{"code": "1"}', "execute_request")
    signature = front.sign(frames)
    frames[3] = b'{"code": "2"}'
    front.send_frames("shell", frames, signature=signature)
    front.silence("shell", 0.1)


def test_wrong_signature_is_not_parsed(front):
    """Nothing of the JSON may be looked at before the signature is right."""
    front.send_frames("shell", [b"{" * 100000] * 4, signature=b"0" * 64)
    front.silence("shell", 0.1)


def test_replay_is_dropped(front):
    frames = parts(front, '{"code": "replayed = globals().get(\'replayed\', 0) + 1"}', "execute_request")
    for _ in range(3):
        front.send_frames("shell", frames)
    assert front.reply(msg_id_of(frames)).content["status"] == "ok"
    front.silence("shell", 0.2)
    _, outputs = front.run("replayed")
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "1"
    front.run("del replayed")


def test_replay_on_another_channel_is_dropped(front):
    frames = parts(front)
    front.send_frames("shell", frames)
    front.reply(msg_id_of(frames))
    front.outputs(msg_id_of(frames))
    front.send_frames("control", frames)
    front.silence("control", 0.2)


def test_a_forged_copy_does_not_block_the_true_one(front):
    """Only what was verified goes into the replay set."""
    frames = parts(front)
    front.send_raw("shell", [DELIMITER, front.sign(frames), *frames[:3], b'{"x": 1}'])
    front.send_frames("shell", frames)
    assert front.reply(msg_id_of(frames)).content["status"] == "ok"


@pytest.mark.parametrize("count", range(6))
def test_truncated(front, count):
    frames = [DELIMITER, front.sign(parts(front)), *parts(front)]
    front.send_raw("shell", frames[:count] or [b""])
    front.silence("shell", 0.1)


def test_no_delimiter(front):
    front.send_raw("shell", [b"hello", b"kernel"])
    front.send_raw("control", [b""] * 50)
    front.silence("shell", 0.1)


def test_many_identities(front):
    front.send_raw("shell", [b"hop"] * 200 + [DELIMITER, front.sign(parts(front)), *parts(front)])
    frames = parts(front)
    front.send_raw("shell", [b"hop 1", b"hop 2", DELIMITER, front.sign(frames), *frames])
    reply = front.reply(msg_id_of(frames))
    assert reply.identities == [b"hop 1", b"hop 2"]


def test_thousands_of_frames(front):
    front.send_raw("shell", [DELIMITER] * 20000)
    front.silence("shell", 0.3)


def test_many_buffers_on_a_request_that_takes_none(front):
    assert front.ask("kernel_info_request", buffers=[b"x"] * 100)["status"] == "ok"


HEADERS = {
    "empty": "",
    "not json": "{",
    "array": "[]",
    "null": "null",
    "no fields": "{}",
    "numbers": '{"msg_id": 1, "msg_type": 2}',
    "no type": '{"msg_id": "a"}',
    "bad utf-8": b'{"msg_id": "\xff\xfe", "msg_type": "kernel_info_request"}',
    "deep": '{"msg_id": "a", "msg_type": "kernel_info_request", "x": ' + "[" * 5000 + "]" * 5000 + "}",
    "zero bytes": b"\x00" * 100,
    "huge type": '{"msg_id": "a", "session": "s", "username": "u", "date": "d", "version": "5", "msg_type": "%s"}' % ("x" * 10**6),
}


@pytest.mark.parametrize("header", HEADERS)
def test_bad_header(front, header):
    front.send_frames("shell", parts(front, header=HEADERS[header]))
    front.send_frames("control", parts(front, header=HEADERS[header]))
    assert front.ask("kernel_info_request")["status"] == "ok"
    while front.unread["shell"] or front.sockets["shell"].poll(50):
        front.receive("shell")      # an error reply is as good as none


@pytest.mark.parametrize("content", [
    b'{"code": "\xff\xfe"}', b"", b"{", b"null", b"[]", b"{} {}", b'{"code": "1"', b'{"code": 1}',
    b'{"code": "' + b"\xf0\x9f" + b'"}', b'{"code"}', b"\xef\xbb\xbf{}x",
])
def test_content_that_is_wrong_inside(front, content):
    refused(front, parts(front, content, "execute_request"))


@pytest.mark.parametrize("depth", [3000, 200000])
def test_deep_nesting(front, depth):
    refused(front, parts(front, '{"code": "1", "x": ' + "[" * depth + "]" * depth + "}", "execute_request"))


def test_null_parent_and_metadata_do_not_hurt(front):
    frames = parts(front, parent="null", metadata="null")
    front.send_frames("shell", frames)
    assert front.reply(msg_id_of(frames)).content["status"] in ("ok", "error")


def test_unusual_numbers_and_text_in_content_pass(front):
    """What Python's json writes and strict parsers refuse."""
    content = '{"code": "1 + 1", "user_expressions": {}, "a": NaN, "b": -Infinity, "c": %d, "d": "\\ud800", "e": 1e999}' % 2**200
    frames = parts(front, content, "execute_request")
    front.send_frames("shell", frames)
    assert front.reply(msg_id_of(frames)).content["status"] == "ok"


def test_duplicate_keys(front):
    frames = parts(front, '{"code": "1", "code": "2"}', "execute_request")
    front.send_frames("shell", frames)
    assert front.reply(msg_id_of(frames)).content["status"] in ("ok", "error")


def test_code_with_a_lone_surrogate_and_nul(front):
    for code in ("print('\ud800')", "print('a\x00b')", "\x00"):
        msg_id = front.execute(code)
        assert front.reply(msg_id).content["status"] in ("ok", "error")
        front.outputs(msg_id)


def test_a_cell_of_eight_megabytes(front):
    code = "x = '" + "y" * 2**23 + "'; len(x)"
    _, outputs = front.run(code)
    assert only(outputs, "execute_result").content["data"]["text/plain"] == str(2**23)


def test_oversized_message_is_dropped(kernel):
    """A frame beyond the limit closes that peer, nobody else."""
    with Frontend(kernel.connection, subscribe=False) as giant:
        frames = parts(giant, '{"code": "1", "x": "' + "x" * (600 * 2**20) + '"}', "execute_request")
        giant.send_frames("shell", frames, signature=b"0" * 64)
        with pytest.raises(TimeoutError):
            giant.receive("shell", timeout=3)


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\xff" + b"\x00" * 8 + b"\x01\x7f"])
def test_peers_that_speak_no_zeromq(kernel, noise):
    for channel in ("shell", "control", "stdin", "iopub", "hb"):
        with socket.create_connection(("127.0.0.1", kernel.connection[f"{channel}_port"])) as peer:
            peer.sendall(noise)


def test_messages_on_iopub_and_heartbeat(kernel, front):
    import zmq

    other = front.connect("iopub", zmq.XSUB)
    for noise in (b"", b"\x01" * 300, b"\x00unsubscribe nothing", b"\x01\xff\xfe not utf-8", b"hello"):
        other.send(noise)
    assert front.ping(b"x" * 2**20) == b"x" * 2**20
    other.close()


def test_a_new_socket_takes_over_an_identity(kernel):
    """jupyter_server connects again with the identity that it had."""
    with kernel.frontend(identity="the-server") as first:
        assert first.ask("kernel_info_request")["status"] == "ok"
        with kernel.frontend(identity="the-server") as second:
            assert second.ask("kernel_info_request")["status"] == "ok"


def test_clients_that_leave_before_the_answer(kernel):
    """jupyter_server's nudge closes its sockets as soon as one of two answers."""
    for _ in range(30):
        with Frontend(kernel.connection, subscribe=False) as hasty:
            hasty.send("shell", "kernel_info_request")
            hasty.send("control", "kernel_info_request")


def test_execution_for_a_client_that_left(kernel, front):
    with Frontend(kernel.connection, subscribe=False) as hasty:
        hasty.execute("left_behind = 5")
        time.sleep(0.1)
    _, outputs = front.run("left_behind")
    assert only(outputs, "execute_result").content["data"]["text/plain"] == "5"


def test_nothing_runs_on_behind(kernel):
    """Frozen copies are there, but they only wait."""
    time.sleep(0.5)         # the last one is taken
    others = [each for each in kernel.family() if each.pid not in (kernel.process.pid, kernel.guard().pid)]
    assert len(others) <= 10
    before = {each.pid: sum(each.cpu_times()[:2]) for each in others}
    time.sleep(0.5)
    assert {each.pid: sum(each.cpu_times()[:2]) for each in others} == before
