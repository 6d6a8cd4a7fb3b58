"""allow() in a host program: what it takes, whom it trusts, what policies are given. Numbers are rows of tests/conformance."""

import functools
import inspect
import pathlib
import subprocess
import sys

from host_tools import raises, refused, refuses, run

from safepyrun import (
    AllowPolicy,
    OpenWritePolicy,
    PathWritePolicy,
    PosAllowPolicy,
    allow,
    chk_dest,
    frame_args,
    set_data,
)

COMMAND = "hi"


def echo(word="hi"):
    return subprocess.run(["echo", word], capture_output=True, text=True).stdout


def other_echo():
    return subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout


class Shell:
    def __init__(self, name="a"):
        self.name = name

    def echo(self):
        return echo()

    def echo2(self):
        return echo()

    def __call__(self):
        return echo()

    @staticmethod
    def still():
        return echo()


def test_c006_c008_frame_args():
    def f(path, text, *rest, overwrite=False, **kwargs):
        return frame_args(inspect.currentframe())

    assert f("path", "text", overwrite=True, a="b") == (["path", "text"], {"overwrite": True, "a": "b"})
    assert f("path", "text", 1, 2) == (["path", "text", 1, 2], {"overwrite": False})

    def deletes(path, text):
        del path
        return frame_args(inspect.currentframe())

    assert deletes("path", "text") == (["text"], {})


def test_c007_frame_args_of_a_method():
    class A:
        def f(self, path, text, *, overwrite=False, **kwargs):
            return frame_args(inspect.currentframe(), self)

    assert A().f("path", "text", overwrite=True, a="b") == (["path", "text"], {"overwrite": True, "a": "b"})


def test_frame_args_are_copies():
    class Text(str):
        def __eq__(self, other):
            raise AssertionError("asked")
        __hash__ = str.__hash__

    def f(a, b):
        return frame_args(inspect.currentframe())

    inner = {"k": [1]}
    (first, second), _ = f(Text("x"), inner)
    assert type(first).__name__ == "Opaque" and first.type_name == "Text"
    assert second == inner and second is not inner and second["k"] is not inner["k"]
    (stand_in, path), _ = f(Shell("b"), pathlib.Path("/x"))
    assert type(stand_in).__name__ == "Opaque" and stand_in.type_name == "Shell" and stand_in.name == "b"
    assert path == pathlib.Path("/x") and path.__class__ is pathlib.Path("/x").__class__


def test_c009_c063_only_what_is_registered():
    names = {"echo": echo, "other_echo": other_echo}
    refuses("echo()", "start a program", g=names)
    allow(echo)
    assert run("echo()", g=names) == "hi\n"
    refuses("other_echo()", "start a program", g=names)
    refuses("import subprocess; subprocess.run(['echo', 'hi'])", "start a program")


def test_c010_a_check_on_a_method():
    seen = []

    def check(obj, args, kwargs, data):
        seen.append((obj.type_name, obj.name, args, kwargs, data["ok_dests"], data["more"]))

    class Files(Shell):
        def save(self, where, *, mode="w"):
            return echo()

    allow({Files: [("save", check)]}, may_change=["seen"])
    assert run("Files('n').save('x', mode='a')", g={"Files": Files}, ok_dests=["/tmp"], more=1) == "hi\n"
    assert seen[0] == ("Files", "n", ["x"], {"mode": "a"}, ["/tmp"], 1)


def test_c064_methods():
    names = {"t": Shell()}
    refuses("t.echo()", "start a program", g=names)
    allow(Shell.echo)
    assert run("t.echo()", g=names) == "hi\n"
    refuses("t.echo2()", "start a program", g=names)
    allow({Shell: ["echo2", "still"]})
    assert run("t.echo2()", g=names) == "hi\n"
    assert run("t.still()", g=names) == "hi\n"


def test_a_tool_that_stands_on_too_much_never_gets_its_rights():
    """The guard cannot be entered, neither the first time nor the next."""
    names = {f"f{i}": (lambda: None) for i in range(60_001)} | {"subprocess": subprocess}
    exec("def big():\n    if not subprocess: " + ";".join(f"f{i}" for i in range(60_001)) + "\n    return subprocess.run(['true'])", names)
    allow(names["big"])
    for _ in range(2):
        with raises(ValueError, "stands on too much code"):
            run("big()", g={"big": names["big"]})


def test_c065_a_method_that_was_patched_on_later():
    def echo3(self):
        return echo()

    Shell.echo3 = echo3
    names = {"t": Shell()}
    refuses("t.echo3()", "start a program", g=names)
    allow({Shell: ["echo3"]})
    assert run("t.echo3()", g=names) == "hi\n"


def test_c066_as_a_decorator():
    @allow
    def mine():
        return echo()

    @allow(allow_policy=lambda obj, args, kwargs, data: chk_dest(args[0], data))
    def checked(path):
        return echo()

    assert run("mine()", g={"mine": mine}) == "hi\n"
    assert run("checked('/tmp/x')", g={"checked": checked}, ok_dests=["/tmp"]) == "hi\n"
    refuses("checked('/etc/x')", "'/etc/x' is not below '/tmp'", g={"checked": checked}, ok_dests=["/tmp"])


def test_c067_what_a_tool_calls():
    def unknown():
        sys.audit("python.testevent")
        return "ok"

    @allow
    def knows():
        return unknown()

    refuses("unknown()", "audit event 'python.testevent'", g={"unknown": unknown})
    assert run("knows()", g={"knows": knows}) == "ok"


def test_c068_data_of_the_runner():
    def check(obj, args, kw, data):
        url = args[0] if args else kw.get("url", "")
        if url not in data.get("ok_urls", ()):
            raise PermissionError(f"not {url}")

    def get(url):
        return echo(url)

    allow({get: check})
    names = {"get": get}
    refuses("get('http://example.com')", "get is allowed, but not so: not http://example.com", g=names,
            ok_urls={"http://example.org"})
    assert run("get('http://example.org')", g=names, ok_urls={"http://example.org"}) == "http://example.org\n"
    assert run("get(url='http://example.org')", g=names, ok_urls={"http://example.org"}) == "http://example.org\n"
    set_data(ok_urls={"http://example.net"})
    assert run("get('http://example.net')", g=names) == "http://example.net\n"


def test_c070_cells_register_nothing():
    refuses("allow(print)", "refused to register a tool", g={"allow": allow})
    refuses("set_data(ok_dests=['/'])", "refused to change what policies of tools see", g={"set_data": set_data})
    refuses("f(lambda: 1)", "refused to register a tool", g={"f": functools.partial(allow)})
    refuses("list(map(f, [print]))", "refused to register a tool", g={"f": allow})


def test_checks_add_up():
    def only(letter):
        def check(obj, args, kwargs, data):
            if letter not in obj.name:
                raise PermissionError(f'only "{letter}" is allowed, not {obj.name}')
        return check

    allow({Shell: [("__call__", only("a"))]})
    names = {"a": Shell("a"), "b": Shell("b"), "c": Shell("c")}
    assert run("a()", g=names) == "hi\n"
    refuses("b()", 'only "a" is allowed, not b', g=names)
    allow({Shell: [("__call__", only("b"))]})
    assert run("b()", g=names) == "hi\n"
    refuses("c()", 'only "a" is allowed, not c', g=names)


def test_objects_are_trusted_one_by_one():
    names = {"a": Shell("a"), "b": Shell("b"), "c": Shell("c")}
    allow(names["a"])
    assert run("a()", g=names) == "hi\n"
    refuses("b()", "start a program", g=names)
    allow(names["c"].echo, {names["b"]: ["echo2"]})
    assert run("c.echo()", g=names) == "hi\n"
    assert run("b.echo2()", g=names) == "hi\n"
    refuses("a.echo()", "start a program", g=names)


def greet():
    return echo()


def test_r07_a_name_of_the_caller():
    refuses("greet()", "start a program", g={"greet": greet})
    allow("greet")
    assert run("greet()", g={"greet": greet}) == "hi\n"
    with raises(NameError, "nobody_is_called_this"):
        allow("nobody_is_called_this")


def test_r08_r10_dotted_names_and_tables():
    refuses("import subprocess; subprocess.getoutput('echo hi')", "start a program")
    allow("subprocess.getoutput", "os.mkfifo", {Shell: ["echo"], "subprocess": ["check_output"]})
    assert run("import subprocess as other\nother.getoutput('echo hi')") == "hi"
    assert run("import subprocess; subprocess.check_output(['echo', 'hi'])") == b"hi\n"
    assert run("t.echo()", g={"t": Shell()}) == "hi\n"
    refuses("import subprocess; subprocess.run(['echo', 'hi'])", "start a program")


def test_r09_a_class_of_a_module_and_its_methods():
    class Shell:
        def date(self):
            return echo()

        def who(self):
            return echo()

    names = {"Shell": Shell, "one": Shell(), "echo": echo}
    allow({Shell: ["date"]})
    assert run("one.date()", g=names) == run("Shell.date(one)", g=names) == "hi\n"
    refuses("one.who()", "start a program", g=names)
    allow({Shell: ...})
    assert run("one.who()", g=names) == "hi\n"
    refuses("echo()", "start a program", g=names)


def test_built_in_functions(tmp_path):
    fifo = str(tmp_path / "fifo")
    refuses(f"import os; os.mkfifo({fifo!r})", "make a named pipe")
    allow("os.mkfifo")
    run(f"import os; os.mkfifo({fifo!r})")
    assert pathlib.Path(fifo).is_fifo()
    allow({"os": [("remove", lambda obj, args, kwargs, data: chk_dest(args[0], data["mine"]))]})
    refuses(f"import os; os.remove({fifo!r})", "is not below '/nowhere'", mine=["/nowhere"])
    run(f"import os; os.remove({fifo!r})", mine=[str(tmp_path)])
    assert not pathlib.Path(fifo).exists()
    refuses("import os; list(map(os.rmdir, ['/nowhere']))", "delete a folder")


def test_classes():
    class Runs:
        def __init__(self, word):
            self.text = echo(word)

    refuses("Runs('x').text", "start a program", g={"Runs": Runs})
    allow(Runs)
    assert run("Runs('x').text", g={"Runs": Runs}) == "x\n"


def test_whole_modules():
    allow({subprocess: ...})
    assert run("import subprocess; subprocess.run(['echo', 'hi'], capture_output=True).stdout") == b"hi\n"
    with raises(TypeError, "cannot be called"):
        allow(5)
    with raises(AttributeError, "nothing"):
        allow({Shell: ["nothing"]})


def test_policies():
    data = {"ok_dests": ["/tmp"]}
    position = PosAllowPolicy(1, "dst")
    position(None, ["src", "/tmp/ok"], {}, data)
    position(None, ["src"], {"dst": "/tmp/ok"}, data)
    position(None, ["src"], {}, data)
    with raises(PermissionError, "/root/bad"):
        position(None, ["src", "/root/bad"], {}, data)
    with raises(PermissionError, "/root/bad"):
        position(None, ["src", "/tmp/ok"], {"dst": "/root/bad"}, data)
    with raises(PermissionError, "/tmp/../root"):
        position(None, ["src", "/tmp/../root/x"], {}, data)

    path = PathWritePolicy(target_pos=0, target_kw="target")
    path(pathlib.Path("/tmp/f"), ["/tmp/g"], {}, data)
    with raises(PermissionError, "/etc/f"):
        path(pathlib.Path("/etc/f"), [], {}, data)
    with raises(PermissionError, "/etc/g"):
        path(pathlib.Path("/tmp/f"), ["/etc/g"], {}, data)
    with raises(PermissionError, "/etc/g"):
        path(pathlib.Path("/tmp/f"), [], {"target": "/etc/g"}, data)

    opens = OpenWritePolicy()
    opens(None, ["/tmp/f", "w"], {}, data)
    opens(None, ["/etc/passwd", "r"], {}, data)
    opens(None, ["/etc/passwd"], {}, data)
    for mode in ("w", "a", "x", "r+"):
        with raises(PermissionError, "/root/f"):
            opens(None, ["/root/f"], {"mode": mode}, data)

    chk_dest("/root/x", None)
    chk_dest("x", ["."])
    with raises(PermissionError, "no path"):
        chk_dest(5.0, ["/tmp"])
    with raises(NotImplementedError):
        AllowPolicy()(None, [], {}, data)


def test_policies_of_paths_permit_nothing_that_the_write_roots_do_not(tmp_path):
    def save(path):
        pathlib.Path(path).write_text("x")
        pathlib.Path(path + "2").write_text("x")
        return echo()

    allow({save: PosAllowPolicy(0, "path")})
    refuses(f"save({str(tmp_path / 'x')!r})", "start a program", g={"save": save}, ok_dests=[str(tmp_path)])
    assert (tmp_path / "x2").exists()
    refuses("save('/nowhere/x')", "open for writing", g={"save": save}, ok_dests=[str(tmp_path)])


def test_own_policies_derive_from_ours(tmp_path):
    class Suffix(AllowPolicy):
        def __init__(self, suffixes):
            self.suffixes = set(suffixes)

        def __call__(self, obj, args, kwargs, data):
            chk_dest(obj, data)
            if pathlib.Path(str(obj)).suffix not in self.suffixes:
                raise PermissionError(f"{obj} has the wrong suffix")

    allow({pathlib.Path: [("write_text", Suffix([".csv"]))]})
    roots = {"ok_dests": [str(tmp_path)], "g": {"Path": pathlib.Path}}
    assert run(f"Path({str(tmp_path)!r}, 'a.csv').write_text('x')", **roots) == 1
    refuses("Path('/nowhere/a.csv').write_text('x')", "is not below", **roots)


def test_the_answer_of_a_policy_that_fails_is_no():
    def broken(obj, args, kwargs, data):
        return args[5]

    allow({other_echo: broken})
    refuses("other_echo()", "other_echo is allowed, but not so", g={"other_echo": other_echo})


def test_a_policy_may_do_what_it_needs():
    asked = []

    def careful(obj, args, kwargs, data):
        asked.append(echo("asked"))

    allow({other_echo: careful}, may_change=["asked"])
    assert run("other_echo()", g={"other_echo": other_echo}) == "hi\n"
    assert asked[0] == "asked\n"


async def test_f45_coroutines_keep_their_rights_across_awaits():
    import asyncio

    from safepyrun import RunPython

    async def inner():
        await asyncio.sleep(0)
        return echo()

    @allow
    async def tool():
        await asyncio.sleep(0.01)
        return await inner()

    names = {"tool": tool, "inner": inner, "asyncio": asyncio}
    assert await RunPython(g=names)("await tool()") == "hi\n"
    assert await RunPython(g=names)("await asyncio.gather(tool(), tool())") == ["hi\n", "hi\n"]
    with refused("start a program"):
        await RunPython(g=names)("await asyncio.gather(tool(), inner())")
    with refused("start a program"):
        await RunPython(g=names)("t = asyncio.create_task(tool())\nawait asyncio.sleep(0)\nawait inner()")


async def test_f45_tasks_that_a_tool_starts_have_its_rights():
    import asyncio

    from safepyrun import RunPython

    async def work(word):
        await asyncio.sleep(0)
        return echo(word)

    @allow
    async def tool(function=None):
        if function is not None:
            return await asyncio.create_task(calls(function))
        return await asyncio.gather(work("a"), work("b"))

    async def calls(function):
        return function()

    names = {"tool": tool, "work": work, "asyncio": asyncio, "subprocess": subprocess}
    assert await RunPython(g=names)("await tool()") == ["a\n", "b\n"]
    with refused("start a program"):
        await RunPython(g=names)("await tool(lambda: subprocess.run(['echo', 'c']))")
    with refused("start a program"):
        await RunPython(g=names)("await asyncio.gather(tool(), work('d'))")


def test_a_change_of_what_a_tool_stands_on_ends_its_rights():
    @allow
    def tool():
        return echo(COMMAND)

    names = {"tool": tool, "space": globals(), "subprocess": subprocess}
    assert run("tool()", g=names) == "hi\n"
    refuses("space['COMMAND'] = 'other'\ntool()", "COMMAND is not what it was", g=names)
    globals()["COMMAND"] = "hi"
    assert run("tool()", g=names) == "hi\n"
    refuses("import functools\nsubprocess.Popen = functools.partial(subprocess.Popen, env={})\ntool()",
            "subprocess.Popen is not what it was", g=names)


def test_c039_c041_config(tmp_path):
    import os

    (tmp_path / "safepyrun").mkdir()
    (tmp_path / "safepyrun" / "config.py").write_text(
        "default_ok_dests = ['/somewhere']\n"
        "allow('subprocess.getoutput', {Path: [('unlink', PathWritePolicy())]})\n"
        "allow_write_types(dict); subprocess, os, json, re\n")
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path)
    assert run("import subprocess; subprocess.getoutput('echo hi')") == "hi"
    from safepyrun import default_ok_dests
    assert default_ok_dests == ["/somewhere"]


def test_c040_an_error_in_the_config(tmp_path):
    import os
    import warnings

    (tmp_path / "safepyrun").mkdir()
    (tmp_path / "safepyrun" / "config.py").write_text("allow('subprocess.getoutput')\n1 / 0\n")
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        refuses("import subprocess; subprocess.getoutput('echo hi')", "start a program")
    assert "config.py: line 2: ZeroDivisionError" in str(caught[0].message)
    allow("subprocess.getoutput")
    assert run("import subprocess; subprocess.getoutput('echo hi')") == "hi"


class Server:
    """One answer to each request."""

    def __enter__(self):
        import http.server
        import threading

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"answer")

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *unused):
        self.server.shutdown()


def _fetch(url):
    import urllib.request
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def test_c068_reading_from_the_network():
    def check(obj, args, kw, data):
        if not args[0].startswith(data["ok_url"]):
            raise PermissionError(args[0])

    names = {"fetch": _fetch}
    with Server() as url:
        refuses(f"fetch({url!r})", g=names)
        allow({_fetch: check})
        refuses("fetch('http://127.0.0.1:1/')", "but not so: http://127.0.0.1:1/", g=names, ok_url=url)
        assert run(f"fetch({url + '/x'!r})", g=names, ok_url=url) == b"answer"
        refuses(f"import urllib.request; urllib.request.urlopen({url!r})", g=names)


def test_c068_httpx():
    from host_tools import Skip

    try:
        import httpx  # noqa: F401
    except ImportError:
        raise Skip("httpx is not installed") from None
    from safepyrun import allow_httpx

    with Server() as url:
        refuses(f"import httpx; httpx.get({url!r})")
        allow_httpx(only_ok_urls=True)
        refuses(f"import httpx; httpx.get({url!r})", "is not below any of ok_urls")
        assert run(f"import httpx; httpx.get({url!r}).text", ok_urls={url}) == "answer"
        refuses(f"import httpx; httpx.Client().get({url!r})", ok_urls={url})
        refuses(f"import httpx; httpx.get({url!r}, proxy={url!r})", "has no argument proxy", ok_urls={url})
        refuses(f"import httpx; httpx.get({url!r}, auth=lambda request: request)", "has no argument auth", ok_urls={url})
        assert run(f"import httpx; httpx.get({url!r}, auth=('me', 'secret'), follow_redirects=False).text", ok_urls={url}) == "answer"
        refuses(f"import httpx; httpx.get({url!r}, follow_redirects=True)", "follows no redirects", ok_urls={url})
        for way in ("/a/../b", "/a/%2E./b", "/a/..%2fb"):
            refuses(f"import httpx; httpx.get({url + way!r})", "is not below any of ok_urls", ok_urls={f"{url}/a"})


def test_c071_c072_matplotlib(tmp_path):
    from host_tools import Skip

    try:
        import matplotlib
    except ImportError:
        raise Skip("matplotlib is not installed") from None
    matplotlib.use("agg")
    from safepyrun import allow_matplotlib

    allow_matplotlib()
    draw = """
import matplotlib.pyplot as plt
fig, ax = plt.subplots(figsize=(3,2), dpi=100)
ax.plot([1,2,1], label='Triangle')
ax.tick_params(labelsize=10)
ax.set_xlabel('X', fontsize=10)
ax.spines[['top','right']].set_visible(False)
ax.yaxis.set_major_formatter('{x:.0f}')
ax.legend(fontsize=12);
"""
    roots = {"ok_dests": [str(tmp_path)]}
    run(draw + f"fig.savefig({str(tmp_path / 'plot.png')!r})", **roots)
    assert (tmp_path / "plot.png").exists()
    refuses(draw + "fig.savefig('/nowhere.png')", "open for writing", **roots)
    refuses(draw + "fig.savefig(fname='/nowhere.png')", "open for writing", **roots)


def test_allow_pandas(tmp_path):
    from host_tools import Skip

    try:
        import pandas  # noqa: F401
    except ImportError:
        raise Skip("pandas is not installed") from None
    from safepyrun import allow_pandas

    allow_pandas()
    roots = {"ok_dests": [str(tmp_path)]}
    frame = "import pandas\ndf = pandas.DataFrame({'a': [1, 2]})\n"
    run(frame + f"df.to_csv({str(tmp_path / 'a.csv')!r})\ndf.to_json(path_or_buf={str(tmp_path / 'a.json')!r})", **roots)
    assert (tmp_path / "a.csv").exists() and (tmp_path / "a.json").exists()
    refuses(frame + "df.to_csv('/nowhere.csv')", "open for writing", **roots)
    refuses(frame + "df.to_json(path_or_buf='/nowhere.json')", "open for writing", **roots)


def test_a_pair_is_told_how_it_is_written():
    with raises(TypeError, "allow({function: check})"):
        allow((len, lambda *args: None))
