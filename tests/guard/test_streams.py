"""What cells print: order, attribution, hostile text, speed."""

from itertools import groupby
import time


def test_streams_keep_their_order(guard):
    code = ("import sys, os\nprint('1')\nprint('2', file=sys.stderr)\nos.write(1, b'3\\n')\nprint('4')\n"
            "os.write(2, b'5\\n')\nsys.stdout.buffer.write(b'6\\n');")
    outcome = guard.execute(code)
    text = "".join(frame.text for frame in outcome.frames if frame.name in ("STDOUT", "STDERR"))
    assert text == "1\n2\n3\n4\n5\n6\n"
    names = [name for name, _ in groupby(outcome.names) if name != "REPLY"]  # os.write() sends at once
    assert names == ["STDOUT", "STDERR", "STDOUT", "STDERR", "STDOUT"]


def test_text_that_is_no_utf8(guard):
    assert guard.execute("print('a\\ud800b')").stdout == "a\\ud800b\n"
    assert guard.execute("print('ä€😀')").stdout == "ä€😀\n"
    assert guard.execute("print('\\0')").stdout == "\0\n"


def test_the_streams_are_text_streams(guard):
    code = ("import sys, io\ns = sys.stdout\n"
            "(isinstance(s, io.TextIOBase), s.encoding, s.fileno(), s.isatty(), s.closed, s.writable(), s.readable(),"
            " s.errors, s.name, sys.stderr.fileno(), s.writelines(['a', 'b']), s.flush(), s.write('äb'))")
    outcome = guard.execute(code)
    assert outcome.result == ("(True, 'utf-8', 1, False, False, True, False, 'backslashreplace', '<stdout>', 2, "
                              "None, None, 2)")
    assert outcome.stdout == "abäb"
    assert guard.execute("sys.stdout.write(b'a')").error == "TypeError"
    assert guard.execute("sys.stdout.close(); print('still')").stdout == "still\n"
    assert guard.execute("type(sys.stdout)()").error == "TypeError"


def test_replaced_streams(guard):
    guard.execute("import io, sys; kept = sys.stdout; sys.stdout = io.StringIO()")
    assert guard.execute("print('a')").stdout == ""  # as in any Python, until somebody puts it back
    guard.execute("sys.stdout = kept")
    assert guard.execute("print('found')").stdout == "found\n"
    assert guard.execute("print('too', file=sys.__stdout__)").stdout == "too\n"
    outcome = guard.execute("import contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as f: print('x')\nf.getvalue()")
    assert outcome.result == "'x\\n'"


def test_output_appears_while_the_cell_goes_on(guard):
    cell = guard.start("import time\nprint('now', end='')\ntime.sleep(1)")
    start = time.monotonic()
    assert guard.receive().text == "now"
    assert time.monotonic() - start < 0.5
    guard.collect(cell)


def test_threads_print_to_the_cell_that_started_them(guard):
    code = ("import threading, time\ndef late():\n    time.sleep(0.15)\n    print('late')\n"
            "thread = threading.Thread(target=late); thread.start()")
    first = guard.start(code)
    guard.collect(first)
    guard.execute("print('second'); thread.join()")
    late = guard.late.pop()
    assert (late.cell, late.text) == (first, "late\n")


def test_nested_threads_and_timers(guard):
    code = ("import threading, time\ndef inner(): time.sleep(0.1); print('inner')\n"
            "def outer(): t = threading.Thread(target=inner); t.start(); t.join()\n"
            "thread = threading.Thread(target=outer); thread.start()")
    first = guard.start(code)
    guard.collect(first)
    guard.execute("thread.join()")
    assert guard.late.pop().cell == first


def test_thread_error_is_not_fatal(guard):
    outcome = guard.execute("import threading; t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()")
    assert "ZeroDivisionError" in outcome.stderr
    assert guard.execute("import _thread; _thread.start_new_thread(5, ())").error == "TypeError"


def test_executor(guard):
    code = ("from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n"
            "    list(pool.map(print, 'ab'))")
    assert sorted(guard.execute(code).stdout.split()) == ["a", "b"]


def test_native_output_goes_to_the_pipe(guard):
    guard.execute("import ctypes; ctypes.CDLL(None).puts(b'native') if False else None")
    assert guard.execute("print('alive')").stdout == "alive\n"


def test_many_lines_are_quick_and_complete(guard):
    start = time.monotonic()
    outcome = guard.execute("for i in range(200_000): print('line', i)")
    took = time.monotonic() - start
    assert outcome.stdout.count("\n") == 200_000 and outcome.stdout.endswith("line 199999\n")
    assert outcome.names.count("STDOUT") < 200
    assert took < 1.5  # 0.15 s on a quiet machine


def test_one_large_text(guard):
    outcome = guard.execute("print('x' * 20_000_000)")
    assert len(outcome.stdout) == 20_000_001


def test_a_forked_child_writes_to_the_pipes(fresh):
    outcome = fresh.execute("import os\nprint('before')\npid = os.fork()\nif pid == 0:\n    print('child')\n"
                            "else:\n    os.waitpid(pid, 0)\n    print('parent')")
    if outcome.error == "PermissionError":  # a policy may refuse it; then nothing is printed twice either
        assert outcome.stdout == "before\n"
        return
    assert outcome.stdout == "before\nparent\n"
    assert fresh.pipe_text() == "child\n"
    assert fresh.execute("1").result == "1"
