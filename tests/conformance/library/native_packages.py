"""F15, F36, F40: native functions of real packages under mk_audit. Each function in a process of its own (host_cases.py)."""

import io
import sys

import lxml.etree
import orjson
import pandas
import PIL.Image
from host_tools import refused

from safepyrun import mk_audit


def test_f15_orjson():
    with mk_audit([])(), refused("orjson.dumps"):
        orjson.dumps({"a": 1})


def test_f36_pandas_calls_pyarrow(tmp_path):
    """pandas keeps texts in pyarrow's arrays, which computes; what opens files stays refused."""
    frame = pandas.DataFrame({"a": ["x", "y"], "b": [1, 2]})
    with mk_audit([tmp_path])():
        new = pandas.DataFrame({"a": ["x", "y"]})
        assert list(new.a.str.upper()) == ["X", "Y"] and new.a.str.contains("x").sum() == 1
        assert frame.merge(new, on="a").groupby("a").b.sum()["y"] == 2 and "x" in repr(frame)
        frame.to_csv(tmp_path / "frame.csv")
        import pyarrow
        for call in (lambda: frame.to_parquet(tmp_path / "frame.parquet"), lambda: pyarrow.OSFile(str(tmp_path / "f"), "wb"),
                     lambda: pyarrow.memory_map("/etc/passwd"), lambda: pyarrow.array([1])):
            with refused("call native code of a package: nothing is known about what pyarrow"):
                call()
    assert [path.name for path in tmp_path.iterdir()] == ["frame.csv"]


def test_f36_a_package_and_its_native_module():
    from plotly.graph_objects import Figure
    with mk_audit([])():
        assert "data" in Figure().to_json()
        with refused("orjson.loads"):
            orjson.loads("1")


def test_f40_a_hook_does_not_open_what_is_known_to_open_files(tmp_path):
    """fastaudit's own hook lets all of lxml pass but a few writers; parse() reads what may not be read."""
    packages = tmp_path / "site-packages"
    (packages / "hooks-0.dist-info").mkdir(parents=True)
    (packages / "hooks-0.dist-info/entry_points.txt").write_text("[fastaudit_monitor_hook]\nlxml = lets_all_pass:hook\n")
    (packages / "lets_all_pass.py").write_text("def hook(*args):\n    return False\n")
    sys.path.append(str(packages))
    with mk_audit([])():
        assert orjson.dumps(1) == b"1"
        with refused("lxml.etree.parse"):
            lxml.etree.parse("/etc/passwd")


def test_f40_a_listed_package_computes():
    with mk_audit([])():
        PIL.Image.new("RGB", (2, 2)).save(io.BytesIO(), "png")


def test_names_decide_nothing(tmp_path):
    """A Cython function has a name, a module and a dict that anybody can assign, and shares its type with numpy's."""
    import numpy.random  # noqa: F401
    file = str(tmp_path / "written.xml")
    tree = lxml.etree.ElementTree(lxml.etree.XML("<a/>"))
    write = type(tree).write
    write.__name__ = write.__qualname__ = "tostring"
    for package in ("json", "numpy", "lxml.etree"):
        try:
            write.__module__ = package
        except AttributeError:
            pass
        with mk_audit([tmp_path])():
            with refused("lxml.etree.write"):
                tree.write(file)
            with refused("lxml.etree.write"):
                write(tree, file)

    class Parser(lxml.etree.XMLParser):
        __module__ = "json"

    Parser.__name__ = Parser.__qualname__ = "Encoder"
    with mk_audit([])(), refused("XMLParser"):
        Parser(load_dtd=True)


def test_f36_packages_that_are_imported():
    modules = set(sys.modules)
    with mk_audit([])():
        import scipy.stats  # noqa: F401
        import sklearn.linear_model
        sklearn.linear_model.LinearRegression().fit([[1], [2]], [1, 2])
    assert modules != set(sys.modules)
