"""Escapes through the debugger of a front end: what is typed, what values say of themselves, and the debugger's own objects."""

import sys

import pytest
from guard_client import Guard
from stops import Stops

POLICY = 'ban_defs = false\nos_ring = "off"\n'
#: the glue is Python, and a cell can change it: the adapter itself falls into its hands
SPY = """
Adapter = sys.modules['safepyrun._dap'].Adapter
original = globals().get('original') or Adapter.handle
def spy(self, request, frames):
    global adapter
    adapter = self
    return original(self, request, frames)
Adapter.handle = spy
"""
CODE = "def work(value):\n    return value\nwork(1)"

#: what a class may have that runs while its values are shown; in C, so that no frame of the cell's is there
VALUES = {
    "partial": "class Value:\n    __repr__ = functools.partial(open, evil, 'w')",
    "settrace": "class Value:\n    __repr__ = functools.partial(sys.settrace, print)",
    "exec": "class Value:\n    __repr__ = functools.partial(exec, f'open({evil!r}, \"w\")')",
    "dict": "class Value(int):\n    __dict__ = property(functools.lru_cache(sys._getframe))",
    "class": "class Value:\n    __class__ = property(lambda self: open(evil, 'w'))",
    "name": "class Meta(type):\n    __name__ = property(lambda self: open(evil, 'w'))\n    __mro__ = property(lambda self: open(evil, 'w'))\n"
            "class Value(metaclass=Meta): pass",
    "mapping": "class Value(dict):\n    items = __iter__ = __len__ = __getitem__ = lambda self, *more: open(evil, 'w')",
    "text": "class Text(str):\n    __getitem__ = __len__ = __iter__ = lambda self, *more: open(evil, 'w')\n"
            "class Value:\n    __repr__ = lambda self: Text('text')",
    "slots": "class Slots:\n    __iter__ = lambda self: iter([open(evil, 'w')])\nclass Value: pass\nValue.__slots__ = Slots()",
}

#: what may be typed while a cell stands still
TEXTS = [
    "open(evil, 'w')",
    "__import__('os').system(f'touch {evil}')",
    "(lambda: [open(evil, 'w') for _ in range(1)])()",
    "exec(f'open({evil!r}, \"w\")')",
    "__import__('sys').settrace(print)",
    "__import__('sys')._getframe().f_back.f_back.f_globals['__builtins__']['open'](evil, 'w')",
    "adapter._call(open, (evil, 'w'))",
    "adapter._evaluate(-1, 'open(evil, \"w\")', True)",
    "adapter._evaluate(0, 'import safepyrun', True)",
    "adapter._evaluate(99, '1', False)",
]


@pytest.fixture(params=["plain", "ipython"], scope="module")
def session(request, tmp_path_factory):
    """(a guard, a file outside of what it may write)"""
    folder = tmp_path_factory.mktemp("stops")
    work = folder / "work"
    work.mkdir()
    python = sys.executable if request.param == "ipython" else None
    with Guard(request.param, python=python, cwd=work, policy_file=POLICY, environment={"HOME": str(work)}) as guard:
        guard.execute(f"import functools, os, sys\nevil = {str(folder / 'evil')!r}")
        yield guard, folder / "evil"


@pytest.fixture
def stops(session):
    guard, evil = session
    stops = Stops(guard)
    stops.evil = evil
    yield stops
    assert not evil.exists()
    stops.set(attached=False)
    assert guard.execute("6 * 7").result == "42"


def test_values_are_shown_as_the_user(stops):
    for name, definition in VALUES.items():
        stops.guard.execute(f"{definition}\nvalue = Value()")
        stops.start("value\nprint('on')", 2)
        _, frames = stops.stopped()
        scopes = stops.ask("scopes", frameId=frames[0]["id"])["scopes"]
        listed = stops.ask("variables", variablesReference=scopes[1]["variablesReference"])["variables"]
        value, = (each for each in listed if each["name"] == "value")
        if value["variablesReference"]:
            stops.ask("variables", variablesReference=value["variablesReference"])
        stops.ask("richInspectVariables", variableName="value", frameId=frames[0]["id"])
        stops.ask("continue")
        stops.done()
        assert not stops.evil.exists(), name
    assert stops.guard.execute("sys.gettrace()").result is None


def test_what_is_typed_is_guarded(stops):
    stops.set()
    stops.guard.execute(SPY)
    stops.start(CODE, 2)
    _, frames = stops.stopped()
    for text in TEXTS:
        answer = stops.evaluate(text, frames[0])
        assert answer.get("success") is False, (text, answer)
        assert not stops.evil.exists(), text
    stops.ask("continue")
    assert stops.done().result == "1"


def test_conditions_are_guarded(stops):
    stops.set()
    stops.guard.execute(SPY)
    for text in TEXTS:
        stops.start(CODE, 2, condition=text)
        assert stops.where() == ("work", 2)     # it failed, and that is shown
        stops.ask("continue")
        stops.done()
        assert not stops.evil.exists(), text


def test_nobody_else_traces(stops):
    stops.set()
    outcome = stops.guard.execute("sys.settrace(print)")
    assert outcome.error == "PermissionError"
    assert stops.guard.execute("sys.gettrace()").result is None


def test_a_changed_glue_is_the_cells_own_code(stops):       # the last one: nothing mends the glue
    stops.set()
    stops.guard.execute("sys.modules['safepyrun._dap'].Adapter.handle = functools.partial(open, evil, 'w')")
    stops.start(CODE, 2)
    stops.frame("DEBUG_EVENT")
    assert stops.ask("stackTrace")["success"] is False
    stops.ask("continue")
    stops.done()
