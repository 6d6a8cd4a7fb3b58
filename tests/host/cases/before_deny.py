"""What a host says to a refusal: before_deny, pre_deny, DenyInfo, and what they get to see."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading

from host_tools import refused, refuses

from safepyrun import DenyInfo, RunPython, active_calls, mk_audit, track_call


def echo(word="hi"):
    return subprocess.run(["echo", word], capture_output=True, text=True).stdout


def trusted_echo():
    return echo()


def test_f18_before_deny_permits_one_program(tmp_path):
    seen = []

    def before_deny(event, args, frame, msg, data):
        seen.append((event, args, msg))
        return event == "subprocess.Popen" and args[1][:1] == ["echo"]

    with mk_audit([tmp_path], before_deny=before_deny)():
        assert echo() == "hi\n"
        with refused("start a program"):
            subprocess.run(["ls"])
    event, args, msg = seen[0]
    assert event == "subprocess.Popen" and args[0] == "echo" and args[1] == ["echo", "hi"]
    assert msg.startswith("safepyrun refused to start a program: ")


def test_f18_a_yes_is_for_the_program_that_was_asked_about(tmp_path):
    """The event can be raised by anybody; and a start that came to nothing leaves no right behind."""
    mark = tmp_path / "mark"
    arguments = [[b"/bin/sh", b"-c", f"touch {mark}".encode()], [b"/bin/sh"], True, (), None, None, -1, -1, -1, -1, -1, -1]

    def start():
        import _posixsubprocess
        rest = [*os.pipe(), False, False, -1, None, None, None, -1, None]
        rest += [False] if sys.version_info < (3, 14) else []   # allow_vfork
        os.waitpid(_posixsubprocess.fork_exec(*arguments, *rest), 0)

    def announced():
        sys.audit("subprocess.Popen", "echo", ["echo"], None, None)
        start()

    def came_to_nothing():
        class Raises(dict):
            def items(self):
                raise KeyError("environment")
        try:
            subprocess.run(["echo"], env=Raises())
        except KeyError:
            pass
        start()

    with mk_audit([tmp_path], before_deny=lambda event, args, frame, msg, data: event == "subprocess.Popen")():
        for way in (start, announced, came_to_nothing):
            with refused("start a program"):
                way()
    assert not mark.exists()
    start()
    assert mark.exists()


def test_f23_a_walk_over_frames(tmp_path):
    def before_deny(event, args, frame, msg, data):
        while frame is not None:
            if f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}" in data:
                return True
            frame = frame.f_back

    audit = mk_audit([tmp_path], before_deny=before_deny, data=frozenset({"__main__.trusted_echo"}))
    with audit():
        assert trusted_echo() == "hi\n"
        with refused():
            echo()
    # F24: what the host changes holds from the next entry on
    audit.set_data(frozenset())
    with audit():
        with refused():
            trusted_echo()


def test_the_forms_of_a_callback(tmp_path):
    def one(info):
        assert isinstance(info, DenyInfo)
        return info.find("trusted_echo") is not None

    def six(event, args, frame, msg, data, calls):
        return calls == () and frame.f_back is not None

    def many(*args):
        return len(args) == 6

    for form in (one, six, many):
        with mk_audit([tmp_path], before_deny=form)():
            assert trusted_echo() == "hi\n"


async def test_c069_pre_deny():
    def fetch(url):
        sys.audit("myapp.httpget", url)
        return "fetched " + url

    def pre_deny(event, args, frame, msg, data, _frame_args):
        if event != "myapp.httpget":
            return None
        assert _frame_args(frame) == ([args[0]], {})
        return True if args[0] in data["ok_urls"] else None

    runner = RunPython(g={"fetch": fetch}, pre_deny=pre_deny, ok_urls={"http://example.org"})
    assert await runner("fetch('http://example.org')") == "fetched http://example.org"
    with refused("myapp.httpget"):
        await runner("fetch('http://example.com')")
    with refused("delete a file"):
        await runner("import os; os.unlink('/foo/bar')")


async def test_pre_deny_as_one_deny_info():
    def reads(path, *, mode="x"):
        os.unlink(path)

    def pre_deny(info):
        seen.append((info.event, info.find("test_pre_deny_as_one_deny_info.<locals>.reads").kwargs, info.args))
        return False

    seen = []
    with refused("delete a file"):
        await RunPython(g={"reads": reads}, pre_deny=pre_deny)("reads('/foo/bar', mode='y')")
    assert seen == [("os.remove", {"mode": "y"}, ["/foo/bar"])]


async def test_deny_info_has_the_names_of_later_versions():
    def fetch(url):
        sys.audit("myapp.httpget", url)
        return "fetched " + url

    def pre_deny(info):
        args, kwargs = info.raw.frame_args(info.raw.frame)
        assert (args, kwargs) == ([info.raw.args[0]], {}) and info.raw.calls == () and info.raw.msg == info.msg
        return info.event == "myapp.httpget" and info.raw.args[0] in info.data["ok_urls"] or None

    runner = RunPython(g={"fetch": fetch}, pre_deny=pre_deny, ok_urls={"http://example.org"})
    assert await runner("fetch('http://example.org')") == "fetched http://example.org"
    with refused("myapp.httpget"):
        await runner("fetch('http://example.com')")


async def test_a_callback_that_raises_refuses():
    def no(info):
        raise PermissionError("not on a Sunday")

    def broken(info):
        raise ZeroDivisionError

    with refused("not on a Sunday"):
        await RunPython(g={}, pre_deny=no)("import os; os.unlink('/foo/bar')")
    with refused("before_deny failed (ZeroDivisionError)"):
        await RunPython(g={}, pre_deny=broken)("import os; os.unlink('/foo/bar')")


async def test_callbacks_run_as_the_host(tmp_path):
    def pre_deny(info):
        (tmp_path / "log").write_text(info.event)

    with refused():
        await RunPython(g={}, pre_deny=pre_deny)("import os; os.unlink('/foo/bar')")
    assert (tmp_path / "log").read_text() == "os.remove"


async def test_callbacks_see_copies_only(tmp_path):
    """An object of a cell that did something in a callback would do it as the host."""
    def pre_deny(info):
        for value in (*info.event_args, *info.args, *info.kwargs.values(), *info.frame.f_locals.values()):
            str(value), value == 1, hash(value) if not isinstance(value, (list, dict)) else 0, f"{value}"
            len(value) if hasattr(value, "__len__") else 0
        info.frame.f_globals.get("__name__")

    hostile = f"""
import os
def act(*a): os.mkdir({str(tmp_path / "made")!r}); return 1
class Evil(str):
    __eq__ = __str__ = __repr__ = __len__ = __format__ = __fspath__ = act
    __hash__ = lambda s: act() or 1
def victim(value, **more): os.unlink(value)
x = Evil('/foo/bar')
"""
    runner = RunPython(g={}, pre_deny=pre_deny, ban_defs=False)
    for call in ("os.unlink(x)", "victim(x, more=x)", "victim([x], more={'a': x})"):
        try:
            await runner(hostile + call)
        except (PermissionError, TypeError):
            pass
    assert not (tmp_path / "made").exists()


def test_f43_the_call_chain():
    with mk_audit([])():
        try:
            trusted_echo()
        except PermissionError as error:
            message = str(error)
    assert "__main__.trusted_echo -> __main__.echo -> subprocess.run" in message
    assert "Audit context entered" not in message


def test_f43_where_the_guard_was_entered():
    with mk_audit([])():
        snapshot = contextvars.copy_context()
    messages = []

    def work():
        try:
            snapshot.run(echo)
        except PermissionError as error:
            messages.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "test_f43_where_the_guard_was_entered" in messages[0].split("Audit context entered in thread")[1]


def test_f43_in_another_task():
    async def inner():
        try:
            echo()
        except PermissionError as error:
            return str(error)

    async def main():
        with mk_audit([])():
            task = asyncio.create_task(inner())
        return await task

    assert "Audit context entered in thread" in asyncio.run(main())


def test_words_speak_of_arguments_not_of_files():
    for cell, argument in (("open('/root/x', 'w')", "ok_dests"), ("def f(): pass", "ban_defs"), ("open('/etc/shadow')", "deny_read")):
        try:
            asyncio.run(RunPython(g={})(cell))
        except PermissionError as error:
            assert "policy file" not in str(error) and argument in str(error)
        else:
            raise AssertionError(f"{cell} was not refused")
    refuses("import os; os.system('ls')", "Call chain")


async def test_f45_tracked_calls(tmp_path):
    @track_call
    async def trusted(word, loud=False):
        await asyncio.sleep(0)
        assert [call.kwargs for call in active_calls()] == [{}]
        return await helper(word.upper() if loud else word)

    async def helper(word):
        await asyncio.sleep(0)
        return echo(word)

    async def later():
        await asyncio.sleep(0.02)
        return active_calls()

    def before_deny(event, args, frame, msg, data, calls):
        return event == "subprocess.Popen" and any(
            call.qualname.endswith(".trusted") and call.module == "__main__" and call.args[0] == "hi" for call in calls)

    assert track_call(echo) is echo and active_calls() == ()
    with mk_audit([tmp_path], before_deny=before_deny)():
        assert await trusted("hi", loud=True) == "HI\n"
        with refused("start a program"):
            await trusted("ho")
        with refused("start a program"):
            await helper("hi")
        task = asyncio.create_task(later())
        with refused("start a program"):
            await asyncio.gather(trusted("ho"), trusted("hi"))
        assert await task == () and active_calls() == ()


async def test_f45_a_tracked_call_lends_its_name_to_nobody(tmp_path):
    @track_call
    async def trusted(function):
        result = function()
        return await result if hasattr(result, "__await__") else result

    def before_deny(event, args, frame, msg, data, calls):
        return bool(calls)

    space = {"trusted": trusted, "echo": echo}
    with mk_audit([tmp_path], before_deny=before_deny)():
        for cell in ("f = lambda: echo()", "async def f(): return echo()",
                     "async def trusted_(): return echo()\ntrusted_.__qualname__ = trusted.__qualname__\nf = trusted_"):
            exec(cell, space)
            with refused("start a program"):
                await trusted(space["f"])
        exec("import sys\ndef f(): return sys.modules['safepyrun._deny'].track_call(trusted_)", space)
        with refused("register a tool"):
            space["f"]()
        assert await trusted(echo) == "hi\n"


async def test_c011_what_a_callback_gets_is_bound_early():
    """What somebody puts in place of the package's functions later changes nothing for a runner that is there."""
    from safepyrun import _deny

    def deletes(path):
        os.unlink(path)

    def pre_deny(event, args, frame, msg, data, _frame_args):
        seen.append(_frame_args(frame))

    seen = []
    runner = RunPython(g={"deletes": deletes}, pre_deny=pre_deny)
    _deny.frame_args_of_view = _deny.asking = _deny.DenyInfo = None
    with refused("delete a file"):
        await runner("deletes('/foo/bar')")
    assert seen == [(["/foo/bar"], {})]


async def test_what_a_callback_starts_for_later_is_the_hosts(tmp_path):
    async def write():
        (tmp_path / "a").write_text("")

    def pre_deny(info):
        loop = asyncio.get_running_loop()
        tasks.append(loop.create_task(write()))
        loop.call_soon((tmp_path / "b").write_text, "")
        return False

    tasks = []
    with refused("delete a file"):
        await RunPython(g={}, pre_deny=pre_deny)("import os\nos.unlink('/foo/bar')")
    await asyncio.gather(*tasks)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
