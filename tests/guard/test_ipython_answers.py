"""Completion, inspection, completeness and user expressions under IPython."""

import pytest

pytest_plugins = ["ipython_session"]


def test_completion_of_attributes_with_types(ipython):
    ipython.run("text = 'alpha'")
    answer = ipython.complete("text.upp")
    assert answer["matches"] == ["upper"]
    assert (answer["cursor_start"], answer["cursor_end"]) == (5, 8)
    (described,) = answer["metadata"]["_jupyter_types_experimental"]
    assert described["text"] == "upper" and described["type"] == "function"


def test_completion_counts_characters(ipython):
    answer = ipython.complete("'\N{GRINNING FACE}'; pri")
    assert "print" in answer["matches"] and answer["cursor_start"] == 5


def test_completion_of_magics_and_other_lines(ipython):
    assert "%timeit" in ipython.complete("%timei")["matches"]
    assert "path" in ipython.complete("import os\nos.pat")["matches"]


def test_completion_runs_no_property(ipython):
    ipython.run("ran = []\nclass Probe:\n    @property\n    def value(self):\n        ran.append(1)\n"
                "        return 'text'\nprobe = Probe()")
    ipython.complete("probe.value.upp")
    assert ipython.run("ran").result["data"]["text/plain"] == "[]"


def test_completion_of_live_attributes_needs_no_jedi(ipython):
    ipython.run("import os, sys\nloaded = 'jedi' in sys.modules")
    answer = ipython.complete("x = 1\nlen(os.pat")
    assert answer["matches"] == ["path", "pathconf", "pathconf_names", "pathsep"]
    assert (answer["cursor_start"], answer["cursor_end"]) == (13, 16)
    kinds = {each["text"]: each["type"] for each in answer["metadata"]["_jupyter_types_experimental"]}
    assert kinds["path"] == "module" and kinds["pathconf"] == "function" and kinds["pathsep"] == "instance"
    assert not [name for name in ipython.complete("os.")["matches"] if name.startswith("_")]
    assert "__name__" in ipython.complete("os.__na")["matches"]
    assert ipython.run("('jedi' in sys.modules) == loaded").result["data"]["text/plain"] == "True"


@pytest.mark.parametrize("code, match", [
    ("text = 5\nfor text in []: pass\ntext = b''\ntext.fromh", "fromhex"),  # what the cell makes of the name counts
    ("import os as text\ntext.pat", "path"),
    ("from os import pat", "path"),
    ("'text.upp", None), ("# text.upp", None),
])
def test_completion_looks_at_the_cell_first(ipython, code, match):
    ipython.run("text = 'alpha'")
    matches = ipython.complete(code)["matches"]
    assert "upper" not in matches and (match is None or match in matches)


def test_completion_runs_no_method(ipython):
    """Nor does it use an iterator up."""
    ipython.run("ran = []\nclass Probe:\n" + "".join(
        f"    def __{name}__(self, *more):\n        ran.append('{name}'); return {value}\n" for name, value in {
            "getattr": "self", "getitem": "'text'", "call": "'text'", "iter": "iter(['text'])", "add": "'text'", "len": "1", "bool": "True"}.items()) +
        "probe = Probe()\nrows = iter(['text'] * 9)\nlist_of = [probe]")
    for code in ("probe.", "probe.a.up", "probe[0].", "(probe + 1).", "for each in probe: each.", "max(probe).",
                 "list(rows)[0].", "next(rows).", "max(rows).", "for row in rows: row.", "list_of.pop()."):
        ipython.complete(code)
    assert ipython.run("ran, len(list(rows)), len(list_of)").result["data"]["text/plain"] == "([], 9, 1)"


LISTED = """
ran = []
class Meta(type):
    def __dir__(cls): ran.append('metadir'); return ['x']
class Sly(metaclass=Meta):
    own = 1
    def __dir__(self): ran.append('dir'); return ['alpha']
    def _ipython_key_completions_(self): ran.append('keys'); return ['beta']
    def __getitem__(self, key): ran.append('item')
class Open(Sly):
    def __getattribute__(self, name): ran.append(name); return object.__getattribute__(self, name)
class Table(dict):
    def keys(self): ran.append('dict keys'); return ['gamma']
    def __iter__(self): ran.append('iter'); return iter(())
class Lazy:
    __class__ = property(lambda self: ran.append('class') or int)
    _ipython_key_completions_ = property(lambda self: ran.append('property'))
sly, wide, table, lazy, holder = Sly(), Open(), Table(inside=1), Lazy(), {'sly': Sly()}
sly.mine = 2
"""


def test_completion_lists_without_the_users_code(ipython):
    ipython.run(LISTED)
    before = ipython.run("len(ran)").result["data"]["text/plain"]
    codes = ["sly.", "Sly.", "sly.ow", "wide.", "lazy.", "holder['sly'].", "[sly][0].", "(sly).", "x = sly\nx.", "def f(): return sly\nf()."]
    codes += [f"{name}[{quote}" for name in ("sly", "wide", "table", "lazy", "holder['sly']", "Sly") for quote in ("", "'", '"')]
    found = {code: ipython.complete(code)["matches"] for code in codes}
    assert ipython.run("ran, len(ran)").result["data"]["text/plain"] == f"([], {before})"
    assert "own" in found["sly."] and "mine" in found["sly."] and "own" in found["Sly."]
    assert any("inside" in match for match in found["table['"])


def test_inspection(ipython):
    ipython.run('def area(side):\n    "Area of a square."\n    return side * side')
    answer = ipython.inspect("area(3)", 2)
    assert answer["found"] and "Area of a square." in answer["data"]["text/plain"]
    assert "return side * side" not in answer["data"]["text/plain"]
    assert "return side * side" in plain(ipython.inspect("area", 4, detail_level=1))
    assert ipython.inspect("no_such_name", 3) == {"status": "ok", "found": False, "data": {},
                                                  "metadata": {}}


def plain(answer):
    import re
    return re.sub(r"\x1b\[[0-9;]*m", "", answer["data"]["text/plain"])


@pytest.mark.parametrize("code, status, indent", [
    ("x = 1", "complete", None),
    ("for i in x:", "incomplete", "    "),
    ("print('''", "incomplete", ""),
    ("a = = 1", "invalid", None),
    ("%%timeit\n1", "incomplete", ""),
])
def test_is_complete(ipython, code, status, indent):
    answer = ipython.is_complete(code)
    assert answer["status"] == status and answer.get("indent") == indent


def test_user_expressions(ipython):
    cell = ipython.run("x = 6", user_expressions={"seven": "x + 1", "broken": "missing"})
    answers = cell.reply["user_expressions"]
    assert answers["seven"]["data"]["text/plain"] == "7"
    assert answers["broken"]["status"] == "error" and answers["broken"]["ename"] == "NameError"


def test_completion_of_data_frames(ipython):
    ipython.run("import pandas\nframe = pandas.DataFrame({'price': [1.5]})")
    assert "price" in ipython.complete("frame['")["matches"]
    assert any(match.endswith("mean") for match in ipython.complete("frame.price.me")["matches"])
    after_accessor = ipython.complete("frame.plot.")
    assert "bar" in after_accessor["matches"] and after_accessor["cursor_start"] == len("frame.plot.")
