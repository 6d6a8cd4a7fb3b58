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
    "tqdm": "from tqdm.auto import tqdm\nsum(tqdm(range(3)))",
    "PIL": "from PIL import Image\nImage.new('RGB', (4, 4)).save('i.png')\nImage.open('i.png').size",
    "ipywidgets": "import ipywidgets as w\nw.VBox([w.IntSlider(), w.Button()])",
}


def start(shell, python, directory):
    """The default policy, with the private directory that the kernel process would make."""
    work, private = directory / "work", directory / "private"
    work.mkdir()
    private.mkdir()
    environment = {"TMPDIR": str(private), "IPYTHONDIR": str(private / "ipython"), "MPLCONFIGDIR": str(private / "matplotlib"),
                   "MPLBACKEND": "module://matplotlib_inline.backend_inline" if shell == "ipython" else "agg"}
    return Guard(shell, python, policy_file=f'ok_dests = [".", "{private}"]\n', environment=environment, cwd=work)


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
