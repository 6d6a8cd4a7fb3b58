"""Native functions of packages: refused unless they are known (Python 3.12 and later)."""

import json
import os
import re
import sys
import time

from host_tools import Skip, raises, refused, run

from safepyrun import RunPython, allow, audit_state, freeze_mon_policy, mk_audit, mon_disable_policy, on_call

NATIVE = "_guard_probe"


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
