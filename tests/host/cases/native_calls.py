"""Native functions of packages: refused unless they are known (Python 3.12 and later)."""

import functools
import importlib
import json
import os
import re
import sys
import time
import types
import warnings
import weakref

from host_tools import Skip, raises, refused, run

from safepyrun import RunPython, allow, audit_state, freeze_mon_policy, mk_audit, mon_disable_policy, on_call


def needs_monitoring():
    if not hasattr(sys, "monitoring"):
        raise Skip("sys.monitoring is of Python 3.12 and later")


def foreign():
    """A native function that says it is of a package: that of the guard's own module."""
    from safepyrun import _guard
    return _guard.audit_state


def test_c004_freeze_mon_policy():
    policy = {"callees": {"a.b"}, "callee_suffixes": [".x"]}
    frozen = freeze_mon_policy(policy)
    policy["callees"].add("c.d")
    assert frozen["callees"] == {"a.b"} and frozen["callee_suffixes"] == (".x",) and frozen["preds"] == ()


def test_c005_on_call_decides_by_names():
    needs_monitoring()
    disable = sys.monitoring.DISABLE

    def asked(caller="m.f", callee="p.g", **policy):
        return on_call(caller, callee, None, None, 0, {"mon_policy": freeze_mon_policy(policy)})

    assert asked() is None
    assert asked(callees={"p.g"}) is disable and asked(callers={"m.f"}) is disable
    assert asked(pairs={("m.f", "p.g")}) is disable and asked(pairs={("m.f", "p.h")}) is None
    assert asked(callee_prefixes=("p.",)) is disable and asked(callee_suffixes=(".g",)) is disable
    assert asked(caller_prefixes=("m.",)) is disable and asked(caller_suffixes=(".f",)) is disable
    assert asked(preds=(lambda caller, callee, *rest: callee == "p.g",)) is disable


def test_f14_python_callables_and_the_standard_library():
    class Plain:
        pass

    class WithCall:
        def __call__(self):
            return "ok"

    with mk_audit([])():
        assert isinstance(Plain(), Plain) and WithCall()() == "ok"
        assert json.dumps([1]) == "[1]" and re.match("a", "a") and time.time() and len("abc") == 3
        assert [1].copy() == [1] and {}.get(1) is None and sorted([2, 1]) == [1, 2]
        super(WithCall, WithCall()).__init__()


def test_f15_f19_f20_a_native_function_of_a_package():
    needs_monitoring()
    function, seen = foreign(), []
    with mk_audit([])():
        with refused("safepyrun._guard.audit_state"):
            function()

    def false(caller, callee, fn, code, off, data):
        seen.append((caller, callee, data))
        return False

    def disable(caller, callee, *rest):
        seen.append(callee)
        return sys.monitoring.DISABLE

    with mk_audit([], on_call=false, data={"a": 1})():
        for _ in range(2):
            assert function()["active"]
    assert seen == [("__main__.test_f15_f19_f20_a_native_function_of_a_package", "safepyrun._guard.audit_state",
                     {"a": 1})] * 2
    seen.clear()
    with mk_audit([], on_call=disable)():
        for _ in range(3):
            function()
    assert len(seen) == 1
    # the next entry asks again
    with mk_audit([])():
        for _ in range(1):
            with refused():
                function()


def test_before_deny_can_permit_it():
    needs_monitoring()
    function = foreign()

    def before_deny(event, args, frame, msg, data):
        return event == "fastaudit.call" and args[1].endswith(".audit_state")

    with mk_audit([], before_deny=before_deny)():
        assert function()["monitor_calls"] is True


def test_f21_f22_without_monitoring():
    with raises(RuntimeError, "on_call"):
        mk_audit([], on_call=lambda *args: None, monitor_calls=False)
    function = foreign()
    with mk_audit([], monitor_calls=False)():
        assert function()["monitor_calls"] is False
        with refused():
            open("/foo/bar", "w")


def test_f36_f44_events_only_while_entered():
    needs_monitoring()
    audit = mk_audit([])
    tool, call = audit_state()["tool_id"], sys.monitoring.events.CALL
    assert tool == 3 and sys.monitoring.get_events(tool) == 0
    with audit():
        assert sys.monitoring.get_events(tool) == call
        with audit():
            assert sys.monitoring.get_events(tool) == call
        assert sys.monitoring.get_events(tool) == call
    assert sys.monitoring.get_events(tool) == 0


def test_f38_operators_and_calls_by_c_are_not_seen():
    """A limit that is known: sys.monitoring tells of calls in the code alone. What they do is judged all the same."""
    needs_monitoring()
    function = foreign()
    with mk_audit([])():
        assert next(iter(function, 0))["active"]
        with refused("safepyrun._guard.audit_state"):
            function()
        with refused("delete a file"):
            list(map(os.unlink, ["/foo/bar"]))


def library(folder, name, text):
    """A module of an installed package, and what the folder's distribution declares."""
    packages = folder / "site-packages"
    packages.mkdir(exist_ok=True)
    (packages / f"{name}.py").write_text(text)
    if str(packages) not in sys.path:
        sys.path.append(str(packages))
    importlib.invalidate_caches()
    return packages


CALLS = """def call(function):
    return function()

def call_all(functions):
    return [function() for function in functions]
"""


def test_f36_what_libraries_call(tmp_path):
    needs_monitoring()
    library(tmp_path, "calls_natives", CALLS)
    import calls_natives
    function, audit = foreign(), mk_audit([])
    with audit():
        with refused("-> calls_natives.call"):
            calls_natives.call(function)
        with refused("safepyrun._guard.audit_state"):
            calls_natives.call_all([function])
    # a place that has called something harmless is looked at again from the next entry on
    for _ in range(2):
        with audit():
            assert calls_natives.call(dict) == {}
            assert calls_natives.call(function)["active"]
        with audit(), refused():
            calls_natives.call(function)
    assert calls_natives.call(function)["active"] is False


def test_f36_f40_a_library_while_it_is_imported(tmp_path):
    needs_monitoring()
    text = "from safepyrun import _guard\nSTATE = _guard.audit_state()\ndef later(): return _guard.audit_state()\n"
    library(tmp_path, "natives_at_import", text)
    with mk_audit([])():
        import natives_at_import
        assert natives_at_import.STATE["active"]
        with refused():
            natives_at_import.later()


def test_f36_a_tool_calls_what_it_wants():
    needs_monitoring()
    function = foreign()

    @allow
    def tool():
        return function()["active"]

    with mk_audit([])():
        assert tool() is True


HOOKS = """import sys
asked = []
def hook(caller, callee, fn, code, off, data, calls):
    asked.append((caller, callee, data, calls))
    if data == "disable":
        return sys.monitoring.DISABLE
    if data == "false":
        return False
"""


def test_f40_hooks_that_packages_declare(tmp_path):
    needs_monitoring()
    packages = library(tmp_path, "declared_hooks", HOOKS)
    (packages / "declared-0.dist-info").mkdir()
    (packages / "declared-0.dist-info/entry_points.txt").write_text(
        "[fastaudit_monitor_hook]\none = declared_hooks:hook\nbroken = not_there_at_all:hook\n"
        "[safepyrun_monitor_hook]\ntwo = declared_hooks:hook\n")
    # what lies beside the program may be what guarded code has written there in an earlier session
    (tmp_path / "planted-0.dist-info").mkdir()
    (tmp_path / "planted-0.dist-info/entry_points.txt").write_text("[safepyrun_monitor_hook]\none = planted:hook\n")
    (tmp_path / "planted.py").write_text(HOOKS)
    sys.path.insert(0, str(tmp_path))
    function, host = foreign(), []

    def calls(times=1):
        for _ in range(times):
            function()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        mk_audit([])
    assert [str(each.message).split(":")[0] for each in told] == ["the monitor hook not_there_at_all"]
    import declared_hooks
    assert "planted" not in sys.modules
    with mk_audit([], data="false")():
        calls(2)
    assert len(declared_hooks.asked) == 2
    assert declared_hooks.asked[0][1:] == ("safepyrun._guard.audit_state", "false", ())
    declared_hooks.asked.clear()
    with mk_audit([], data="disable")():
        calls(3)
    assert len(declared_hooks.asked) == 1
    with mk_audit([], data=None, on_call=lambda *args: host.append(args[1]) or False)():
        calls()
    assert host == ["safepyrun._guard.audit_state"]
    with mk_audit([], data=None)(), refused("safepyrun._guard.audit_state"):
        calls()
    declared_hooks.asked.clear()
    with refused():
        run("function()", g={"function": function})
    assert len(declared_hooks.asked) == 2 and "mon_policy" in declared_hooks.asked[0][2]


class Loud:
    """Special methods of guarded code do not run while a call is judged."""
    ran = []

    def __getattribute__(self, name):
        Loud.ran.append(name)
        return object.__getattribute__(self, name)


def test_names_decide_nothing():
    needs_monitoring()
    function = foreign()

    class LoudPartial(Loud, functools.partial):
        pass

    class LoudStatic(Loud, staticmethod):
        pass

    carriers = [function, functools.partial(function), functools.partial(functools.partial(function)),
                LoudPartial(function), LoudStatic(function), staticmethod(function), weakref.proxy(function),
                types.GenericAlias(function, (int,))]
    endless = function
    for _ in range(20):
        endless = staticmethod(functools.partial(endless))
    carriers.append(endless)
    with mk_audit([])():
        for name, value in (("__module__", "builtins"), ("__module__", "numpy"), ("__name__", "len"),
                            ("__qualname__", "len"), ("__doc__", "")):
            try:
                setattr(function, name, value)
            except (AttributeError, TypeError):
                pass
            for each in carriers:
                with refused("call native code"):
                    each()
        with refused("call native code"):
            types.MethodType(function, 1)()
    assert not Loud.ran, Loud.ran


def test_names_told_to_the_host():
    """The last part of the name is that of the definition, whatever a cell has assigned."""
    needs_monitoring()
    function, seen = foreign(), []
    function.__module__ = "json"
    with mk_audit([], on_call=lambda caller, callee, *rest: seen.append(callee) or False)():
        functools.partial(function)()
    assert [name.rpartition(".")[2] for name in seen] == ["audit_state"]


def test_options_of_the_wrong_kind():
    needs_monitoring()
    with raises(TypeError):
        mk_audit([], tool_id="x")
    with raises(TypeError, "on_call is a function"):
        mk_audit([], on_call=5)


def test_f37_a_tool_id_that_is_taken():
    needs_monitoring()
    sys.monitoring.use_tool_id(3, "somebody")
    with raises(RuntimeError, "somebody"):
        mk_audit([])
    sys.monitoring.free_tool_id(3)


def test_cells():
    needs_monitoring()
    space = {"function": foreign()}
    with refused("safepyrun._guard.audit_state"):
        run("function()", g=space)
    with refused():
        run("f = lambda: [function() for _ in [1]]\nf()", g=space)
    mon_disable_policy["callees"].add("safepyrun._guard.audit_state")
    runner = RunPython(g=space)
    import asyncio
    assert asyncio.run(runner("function()"))["active"]
    mon_disable_policy["callees"].clear()
    with refused():
        asyncio.run(runner("function()"))
    allow(space["function"])
    assert asyncio.run(runner("function()"))["active"]


def test_c049_numpy():
    try:
        import numpy
    except ImportError:
        raise Skip("numpy is not installed here") from None
    assert run("import numpy as np\nnp.array([1,2,3]).sum()") == numpy.int64(6)


def test_f40_lxml_computes_and_opens_no_files(tmp_path):
    needs_monitoring()
    try:
        from lxml import etree
    except ImportError:
        raise Skip("lxml is not installed here") from None
    style = etree.XML(b'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
                      b'<xsl:template match="/"><out/></xsl:template></xsl:stylesheet>')
    made, include = etree.XSLT(style), etree.XML(b'<a xmlns:xi="http://www.w3.org/2001/XInclude">'
                                                 b'<xi:include href="/etc/passwd" parse="text"/></a>')
    file = str(tmp_path / "written.xml")
    with mk_audit([])():
        xml = etree.fromstring(b"<root><x>1</x></root>")
        tree = etree.ElementTree(xml)
        assert xml.find("x").text == "1" and etree.tostring(tree).startswith(b"<root>")
        for write in (lambda: tree.write(file), lambda: tree.write_c14n(file), lambda: etree.xmlfile(file).__enter__(),
                      lambda: etree.htmlfile(file).__enter__(), lambda: made(xml).write_output(file),
                      lambda: etree.parse("/etc/passwd"), lambda: etree.ElementTree(include).xinclude(),
                      lambda: etree.XInclude()(include), lambda: etree.XMLParser(load_dtd=True), lambda: etree.XSLT(style),
                      lambda: etree.XMLSchema(file="/etc/passwd")):
            with refused("call native code of a package"):
                write()
    assert not list(tmp_path.glob("*.xml"))
    tree.write(file)


def test_audit_state():
    assert audit_state()["active"] is False and audit_state()["monitor_calls"] is None
