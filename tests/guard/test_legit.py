"""What a notebook does all day goes through under the default policy: a guard that refuses it is switched off."""

import sys

import pytest
from guard_client import Guard

TIMEOUT_SECONDS = 90
STANDARD = {
    "files": "open('a', 'w').write('x'); open('a', 'a').write('y'); open('a').read()",
    "paths": "from pathlib import Path\np = Path('folder/deeper')\np.mkdir(parents=True)\n(p / 'x').touch()\n"
             "(p / 'x').rename(p / 'y')\n(p / 'y').chmod(0o600)\n(p / 'y').unlink()\nsorted(Path('.').rglob('*'))",
    "descriptors": "import os\nfd = os.open('fd', os.O_CREAT | os.O_RDWR)\nos.write(fd, b'xyz')\nos.fchmod(fd, 0o600)\n"
                   "os.ftruncate(fd, 1)\nos.utime(fd)\nos.pwrite(fd, b'a', 0)\nos.close(os.dup(fd))\nos.close(fd)",
    "directory descriptor": "import os\nthere = os.open('.', os.O_RDONLY)\n"
                            "os.close(os.open('by_fd', os.O_CREAT | os.O_WRONLY, dir_fd=there))\nos.unlink('by_fd', dir_fd=there)",
    "shutil": "import shutil, os\nos.makedirs('s/t', exist_ok=True)\nopen('s/f', 'w').close()\nshutil.copy('s/f', 's/g')\n"
              "shutil.copytree('s', 's2')\nshutil.move('s/g', 'h')\nshutil.rmtree('s2')\nshutil.make_archive('arch', 'zip', 's')\n"
              "shutil.unpack_archive('arch.zip', 'u')",
    "temporary files": "import tempfile\nwith tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile() as f:\n"
                       "    open(d + '/x', 'w').close()\n    f.write(b'x')",
    "logging": "import logging\nlogging.basicConfig(filename='l.log', force=True)\nlogging.warning('x')\nlogging.shutdown()",
    "sqlite": "import sqlite3\nfrom pathlib import Path\nwith sqlite3.connect(Path('x.db')) as base:\n"
              "    base.execute(\"attach 'y.db' as y\")\n    base.execute('create table y.t as select 1')\n"
              "base.execute(\"vacuum into 'z.db'\")\nsqlite3.connect(':memory:').execute('select 1').fetchall()",
    "libraries that make code": "import collections, dataclasses, enum, typing, timeit, functools, unittest.mock\n"
                                "collections.namedtuple('P', 'x y')(1, 2), dataclasses.make_dataclass('D', ['x'])(1)\n"
                                "enum.Enum('E', 'A B').A, typing.NamedTuple('T', [('x', int)])(1), timeit.timeit('1', number=1)\n"
                                "functools.cache(lambda: 1)(), unittest.mock.Mock()(), functools.singledispatch(lambda x: x)(1)",
    "looking around": "import inspect, platform, traceback, sys, gc, uuid, zoneinfo, warnings\nplatform.platform(), uuid.uuid4()\n"
                      "inspect.signature(lambda x: x), inspect.getmembers(sys), gc.collect(), zoneinfo.ZoneInfo('UTC')\n"
                      "try:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.format_exc()\nwarnings.warn('x')",
    "threads": "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nt = threading.Thread(target=lambda: open('t', 'w').close())\n"
               "t.start()\nt.join()\nlist(ThreadPoolExecutor(2).map(lambda x: x * x, range(3)))",
    "asyncio": "import asyncio\nawait asyncio.gather(asyncio.sleep(0), asyncio.to_thread(sum, [1, 2]))\n"
               "await asyncio.wait_for(asyncio.sleep(0), 1)",
    "an event loop of one's own": "import asyncio, threading\nfound = []\nt = threading.Thread(target=lambda: found.append(asyncio.run(asyncio.sleep(0, 5))))\n"
                                  "t.start()\nt.join()\nassert found == [5]",
    "pickle": "import pickle, copy, datetime\npickle.loads(pickle.dumps({'a': [1, datetime.date(2020, 1, 1)]})), copy.deepcopy([[1]])",
    "environment": "import os\nos.environ['OMP_NUM_THREADS'] = '1'\nos.environ['MY_DATA_PATH'] = 'data'\ndel os.environ['MY_DATA_PATH']",
    "a module of one's own": "open('mine.py', 'w').write('def double(n):\\n    return 2 * n\\n')\nimport mine\nassert mine.double(4) == 8",
    "archives": "import zipfile, tarfile, gzip\nwith zipfile.ZipFile('a.zip', 'w') as z:\n    z.writestr('x', 'y')\n"
                "with tarfile.open('a.tgz', 'w:gz') as t:\n    t.add('a.zip')\ngzip.open('a.gz', 'w').write(b'x')",
    "changing the directory": "import os\nos.makedirs('inner')\nos.chdir('inner')\nopen('x', 'w').close()\nos.chdir('..')",
}
PACKAGES = {
    "numpy": "import numpy as np\na = np.arange(6).reshape(2, 3)\nnp.save('a.npy', a), np.savez('b.npz', a=a), np.savetxt('c.txt', a)\n"
             "np.linalg.inv(np.eye(3)), np.load('a.npy'), a.ctypes.data, np.random.default_rng(1).normal(size=3)\n"
             "m = np.memmap('m.bin', mode='w+', shape=(3,))\nm[:] = 1\nm.flush()",
    "pandas": "import pandas as pd, sqlite3\ndf = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\ndf.to_csv('d.csv'), df.to_json('d.json'), df.to_pickle('d.pkl')\n"
              "pd.read_csv('d.csv').groupby('b').a.mean(), df.query('a > 1'), df.eval('a + 1'), df.apply(lambda r: r.a, axis=1), df.to_html()\n"
              "c = sqlite3.connect('d.db')\ndf.to_sql('t', c)\npd.read_sql('select * from t', c)",
    "matplotlib": "import matplotlib.pyplot as plt\nf, ax = plt.subplots()\nax.plot([1, 2])\nax.set_title('$x^2$')\n"
                  "f.savefig('p.png'), f.savefig('p.pdf'), f.savefig('p.svg')\nplt.show()\nplt.close('all')",
    "httpx": "import httpx, requests\nrequests.Session(), httpx.Request('GET', 'http://x')",
    "polars": "import polars as pl\ndf = pl.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'x']})\ndf.write_csv('p.csv'), df.write_parquet('p.parquet')\n"
              "pl.read_csv('p.csv').lazy().group_by('b').agg(pl.col('a').sum()).sort('b').collect(), pl.read_parquet('p.parquet'), df.to_pandas()",
    "pyarrow": "import pyarrow as pa, pyarrow.parquet as pq, pyarrow.csv, pyarrow.compute as pc\nt = pa.table({'a': [1, 2]})\n"
               "pq.write_table(t, 'a.parquet'), pq.read_table('a.parquet').to_pandas(), pyarrow.csv.write_csv(t, 'a.csv'), pc.sum(t['a'])",
    "plotly": "import plotly.express as px, plotly.graph_objects as go\npx.scatter(x=[1, 2], y=[3, 4]).to_html(), go.Figure(go.Bar(y=[1])).write_html('f.html')",
    "scikit-learn": "from sklearn.linear_model import LogisticRegression\nfrom sklearn.ensemble import RandomForestClassifier\n"
                    "from sklearn.datasets import make_classification, load_iris\nfrom sklearn.pipeline import make_pipeline\n"
                    "from sklearn.preprocessing import StandardScaler\nfrom sklearn.model_selection import cross_val_score\nfrom sklearn.cluster import KMeans\n"
                    "X, y = make_classification(80, random_state=1)\ncross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), X, y)\n"
                    "RandomForestClassifier(5, n_jobs=2).fit(X, y).score(X, y), KMeans(2, n_init=2).fit(X).labels_, load_iris().data.shape\n"
                    "import joblib\njoblib.dump(y, 'y.joblib'), joblib.load('y.joblib')\n"
                    "from sklearn.model_selection import GridSearchCV\nGridSearchCV(LogisticRegression(), {'C': [0.1, 1]}, n_jobs=-1).fit(X, y).best_score_\n"
                    "for options in ({}, {'prefer': 'processes'}, {'backend': 'loky'}, {'backend': 'multiprocessing'}):\n"
                    "    assert joblib.Parallel(2, **options)(joblib.delayed(abs)(-n) for n in range(4)) == [0, 1, 2, 3]",
    "scipy": "import scipy.stats, scipy.optimize, scipy.integrate, scipy.sparse, scipy.signal, scipy.ndimage, scipy.linalg\n"
             "scipy.stats.norm.rvs(size=3, random_state=1), scipy.optimize.minimize(lambda x: x @ x, [1., 2.]).x, scipy.integrate.quad(lambda x: x, 0, 1)",
    "threadpoolctl": "import numpy, threadpoolctl\nassert threadpoolctl.threadpool_info()\nwith threadpoolctl.threadpool_limits(1):\n    pass\n"
                     "control = threadpoolctl.ThreadpoolController()\nknown = len(control.info())\n"
                     "control._find_libraries_with_dl_iterate_phdr()  # what older versions do on Linux\nassert control.info() and len(control.info()) >= known",
    "duckdb": "import duckdb, pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nassert duckdb.sql('select sum(a) from df').fetchall() == [(3,)]\n"
              "duckdb.sql('select 1 as x').df()\nc = duckdb.connect('d.duckdb')\nc.execute('create table t as select 42 as x')\n"
              "c.execute(\"copy t to 't.csv'\"), c.execute(\"select * from 't.csv'\").fetchall()",
    "tqdm": "from tqdm.auto import tqdm\nsum(tqdm(range(3)))",
    "PIL": "from PIL import Image\nImage.new('RGB', (4, 4)).save('i.png')\nImage.open('i.png').size",
    "ipywidgets": "import ipywidgets as w\nw.VBox([w.IntSlider(), w.Button()])",
}


#: with ban_defs = false; what each defines is used as well
DEFINITIONS = {
    "functions": "def outer(n, *rest, scale=2, **more):\n    def inner(k):\n        nonlocal n\n        n += k\n        return n * scale\n    return inner\n"
                 "assert outer(1)(2) == 6\ndef f(a: int = 1, /, b: str = 'x') -> str:\n    'doc'\n    return b * a\nassert f(2) == 'xx' and f.__doc__ == 'doc'",
    "recursion and caches": "import functools\n@functools.lru_cache\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nassert fib(50) == 12586269025",
    "decorators": "import functools, time\ndef timed(function):\n    @functools.wraps(function)\n    def wrapper(*args, **keywords):\n        start = time.perf_counter()\n"
                  "        result = function(*args, **keywords)\n        wrapper.took = time.perf_counter() - start\n        return result\n    return wrapper\n"
                  "@timed\ndef work(n):\n    return sum(range(n))\nassert work(10) == 45 and work.took >= 0 and work.__name__ == 'work'",
    "classes": "class Shape:\n    count = 0\n    def __init__(self, name):\n        self.name = name\n        Shape.count += 1\n    @property\n    def title(self):\n        return self.name.title()\n"
               "    @classmethod\n    def make(cls):\n        return cls('made')\n    @staticmethod\n    def sides():\n        return 0\n    def __repr__(self):\n        return f'<{self.name}>'\n"
               "class Square(Shape):\n    __slots__ = ()\n    def __init__(self):\n        super().__init__('square')\nassert Square().title == 'Square' and Shape.make().name == 'made'\nrepr(Square())",
    "data classes": "import dataclasses\n@dataclasses.dataclass(order=True, frozen=True, slots=True)\nclass Point:\n    x: int\n    y: int = 0\n    tags: list = dataclasses.field(default_factory=list, compare=False)\n"
                    "assert Point(1) < Point(2) and dataclasses.asdict(Point(1))['y'] == 0 and dataclasses.replace(Point(1), x=5).x == 5",
    "enums": "import enum\nclass Colour(enum.Enum):\n    RED = enum.auto()\n    BLUE = enum.auto()\nclass Flags(enum.IntFlag):\n    A = 1\n    B = 2\nassert Colour['RED'] is Colour.RED and Flags.A | Flags.B == 3",
    "named tuples and typed dictionaries": "import typing, collections\nclass P(typing.NamedTuple):\n    x: int\n    y: int = 2\nclass D(typing.TypedDict):\n    a: int\nassert P(1)._asdict() == {'x': 1, 'y': 2}\nD(a=1)",
    "protocols, generics, abstract classes": "import abc, typing\nT = typing.TypeVar('T')\nclass Box(typing.Generic[T]):\n    def __init__(self, item: T):\n        self.item = item\n"
                                             "@typing.runtime_checkable\nclass Closes(typing.Protocol):\n    def close(self): ...\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def run(self): ...\n"
                                             "class Real(Base):\n    def run(self):\n        return 1\n    def close(self):\n        pass\nassert isinstance(Real(), Closes) and Real().run() == Box[int](1).item",
    "metaclasses and descriptors": "class Meta(type):\n    def __new__(cls, name, bases, space):\n        space['made'] = True\n        return super().__new__(cls, name, bases, space)\n"
                                   "class Positive:\n    def __set_name__(self, owner, name):\n        self.name = '_' + name\n    def __get__(self, thing, owner=None):\n        return getattr(thing, self.name)\n"
                                   "    def __set__(self, thing, value):\n        assert value > 0\n        setattr(thing, self.name, value)\nclass Order(metaclass=Meta):\n    amount = Positive()\n"
                                   "order = Order()\norder.amount = 3\nassert order.amount == 3 and Order.made",
    "generators": "def count(n):\n    total = 0\n    for i in range(n):\n        got = yield i\n        total += got or 0\n    return total\ndef chain():\n    result = yield from count(3)\n    yield result\n"
                  "assert list(chain()) == [0, 1, 2, 0]\ng = count(5)\nnext(g), g.send(10), g.close()",
    "context managers": "import contextlib\n@contextlib.contextmanager\ndef opened(name):\n    file = open(name, 'w')\n    try:\n        yield file\n    finally:\n        file.close()\n"
                        "class Quiet:\n    def __enter__(self):\n        return self\n    def __exit__(self, kind, value, trace):\n        return kind is ValueError\n"
                        "with opened('managed') as f, Quiet():\n    f.write('x')\n    raise ValueError\nassert f.closed",
    "coroutines": "import asyncio\nasync def fetch(n):\n    await asyncio.sleep(0)\n    return n * 10\nasync def numbers():\n    for i in range(3):\n        yield i\n"
                  "assert await asyncio.gather(*map(fetch, range(3))) == [0, 10, 20]\nassert [n async for n in numbers()] == [0, 1, 2]\n"
                  "async with asyncio.TaskGroup() as group:\n    task = group.create_task(fetch(4))\nassert task.result() == 40",
    "operators and iteration": "class Vector:\n    def __init__(self, *v):\n        self.v = v\n    def __add__(self, other):\n        return Vector(*map(sum, zip(self.v, other.v)))\n    def __eq__(self, other):\n        return self.v == other.v\n"
                               "    def __hash__(self):\n        return hash(self.v)\n    def __iter__(self):\n        return iter(self.v)\n    def __getitem__(self, i):\n        return self.v[i]\n    def __len__(self):\n        return len(self.v)\n"
                               "    def __contains__(self, x):\n        return x in self.v\n    def __call__(self):\n        return sum(self)\na = Vector(1, 2) + Vector(3, 4)\nassert a == Vector(4, 6) and a() == 10 and 4 in a and len({a, Vector(4, 6)}) == 1",
    "exceptions": "class Oops(Exception):\n    def __init__(self, code):\n        super().__init__(f'code {code}')\n        self.code = code\ndef fail():\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n        raise Oops(3) from error\n"
                  "try:\n    fail()\nexcept Oops as error:\n    error.add_note('x')\n    assert error.code == 3 and isinstance(error.__cause__, ZeroDivisionError)\n"
                  "try:\n    raise ExceptionGroup('many', [ValueError(1), TypeError(2)])\nexcept* ValueError as group:\n    assert len(group.exceptions) == 1\nexcept* TypeError:\n    pass",
    "matching": "class P:\n    __match_args__ = ('x', 'y')\n    def __init__(self, x, y):\n        self.x, self.y = x, y\ndef place(p):\n    match p:\n        case P(0, y):\n            return y\n        case {'x': x, **rest}:\n            return rest\n"
                "        case [first, *others] if first:\n            return others\n        case _:\n            return None\nassert place(P(0, 7)) == 7 and place({'x': 1, 'z': 2}) == {'z': 2} and place([1, 2]) == [2]",
    "functions as pytest has them": "def add(a, b):\n    return a + b\ndef test_add():\n    assert add(1, 2) == 3\nclass TestAdd:\n    def test_text(self):\n        assert add('a', 'b') == 'ab'\n"
                                    "import unittest\nclass Case(unittest.TestCase):\n    def setUp(self):\n        self.n = 1\n    def test_n(self):\n        self.assertEqual(self.n, 1)\n"
                                    "for name, function in list(globals().items()):\n    if name.startswith('test_'):\n        function()\nTestAdd().test_text()\n"
                                    "result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(Case))\nassert result.wasSuccessful()",
    "pickles and copies of one's own classes": "import pickle, copy, threading\nclass Thing:\n    def __init__(self):\n        self.items = [1]\n    def __getstate__(self):\n        return self.__dict__\n"
                                               "assert copy.deepcopy(Thing()).items == [1]\nclass Worker(threading.Thread):\n    def run(self):\n        self.done = True\nw = Worker()\nw.start()\nw.join()\nassert w.done",
    "logging and parsing": "import logging, argparse, html.parser, json\nclass Titles(html.parser.HTMLParser):\n    found = []\n    def handle_data(self, data):\n        self.found.append(data)\nTitles().feed('<b>x</b>')\nassert Titles.found == ['x']\n"
                           "class Encoder(json.JSONEncoder):\n    def default(self, o):\n        return str(o)\njson.dumps({'x': {1}.__class__}, cls=Encoder)\nparser = argparse.ArgumentParser()\nparser.add_argument('-n', type=int)\nassert parser.parse_args(['-n', '3']).n == 3",
}


def start(shell, python, directory, more=""):
    """The default policy, with the private directory that the kernel process would make."""
    work, private = directory / "work", directory / "private"
    work.mkdir()
    private.mkdir()
    environment = {"TMPDIR": str(private), "IPYTHONDIR": str(private / "ipython"), "MPLCONFIGDIR": str(private / "matplotlib"),
                   "MPLBACKEND": "module://matplotlib_inline.backend_inline" if shell == "ipython" else "agg"}
    return Guard(shell, python, policy_file=f'ok_dests = [".", "{private}"]\n' + more, environment=environment, cwd=work)


@pytest.mark.parametrize("name", STANDARD)
def test_standard_library(name, tmp_path):
    with start("plain", None, tmp_path) as guard:
        outcome = guard.execute(STANDARD[name], TIMEOUT_SECONDS)
        assert outcome.error is None, outcome.reply


@pytest.mark.parametrize("shell", ["plain", "ipython"])
def test_packages(shell, tmp_path):
    with start(shell, sys.executable, tmp_path) as guard:
        for name, cell in PACKAGES.items():
            outcome = guard.execute(cell, TIMEOUT_SECONDS)
            assert outcome.error is None, (name, outcome.reply)


def test_a_package_that_sets_path_while_it_is_imported(tmp_path):
    """As cv2 does: it is imported, and what programs would be given stays as it was."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "sets_path.py").write_text("import os\nos.environ['PATH'] = '/own:' + os.environ['PATH']\n"
                                           "def again():\n    os.environ['PATH'] = '/own'\n")
    with Guard(cwd=tmp_path, environment={"SAFEPYRUN_PYTHONPATH": str(packages)}, policy_file=f'ok_dests = ["{tmp_path}/work"]\n') as guard:
        outcome = guard.execute("import os, sys, sets_path\nsys.modules.pop('posix')\nimport posix  # which looks at the process anew\n"
                                "os.environ['PATH'][:5], posix.environ[b'PATH'][:5] == b'/own:'")
        assert outcome.error is None and outcome.result == "('/own:', False)", outcome.reply
        assert [denial["event"] for denial in outcome.all("DENIAL")] == ["os.putenv"]
        assert guard.execute("sets_path.again()").error == "PermissionError"
        assert guard.execute("os.environ['PATH'] = '/own'").error == "PermissionError"


@pytest.mark.parametrize("policy, scheduler", [("", "threads"), ('preset = "open"\nos_ring = "off"\n', "processes")])
def test_dask_works_in_threads_where_nothing_can_be_started(tmp_path, policy, scheduler):
    """Its bags ask for processes by themselves. Here is what of it matters."""
    package = tmp_path / "packages/dask"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "base.py").write_text("named_schedulers = {'threads': 'threads', 'processes': 'processes'}\n")
    (package / "bag.py").write_text("from dask.base import named_schedulers\nDEFAULT = named_schedulers.get('processes')\n")
    with Guard(cwd=tmp_path, environment={"SAFEPYRUN_PYTHONPATH": str(package.parent)},
               policy_file=f'ok_dests = ["{tmp_path}/work"]\n' + policy) as guard:
        outcome = guard.execute("import dask.bag, dask.base\ndask.bag.DEFAULT, dask.base.named_schedulers")
        assert outcome.result == f"('{scheduler}', {{'threads': 'threads', 'processes': '{scheduler}'}})", outcome.reply


def test_counting_the_cores_refuses_nothing(tmp_path):
    """scikit-learn's gradient boosting asks joblib for them."""
    with start("plain", sys.executable, tmp_path) as guard:
        outcome = guard.execute("import joblib, os, warnings\nwarnings.simplefilter('error')\n"
                                "0 < joblib.cpu_count(only_physical_cores=True) <= os.cpu_count()", TIMEOUT_SECONDS)
        assert outcome.result == "True" and outcome.stderr == "" and not outcome.all("DENIAL"), outcome.reply


def test_requests_is_refused_in_clear_words(tmp_path):
    with start("plain", sys.executable, tmp_path) as guard:
        outcome = guard.execute("import requests\nrequests.get('http://127.0.0.1:9')", TIMEOUT_SECONDS)
        assert outcome.error == "PermissionError"
        assert "cells may not use the network" in outcome.reply["evalue"]


@pytest.mark.parametrize("shell", ["plain", "ipython"])
def test_definitions(shell, tmp_path):
    with start(shell, sys.executable, tmp_path, "ban_defs = false\n") as guard:
        for name, cell in DEFINITIONS.items():
            outcome = guard.execute(cell, TIMEOUT_SECONDS)
            assert outcome.error is None, (name, outcome.reply)
