"""What notebooks do all day, under the whole ring and under what a container leaves of it."""

import os
import shutil
import stat
import sys

import pytest
from guard_client import Guard
from world import BUILD

SYSTEMS = {"whole": "", "container": "namespaces", "no Landlock": "landlock"}
CELLS = {
    "files": "import os, shutil, pathlib, tempfile\nopen('a', 'w').write('x')\nos.rename('a', 'b')\nos.makedirs('d/e')\nshutil.move('b', 'd/e')\n"
             "pathlib.Path('d/e/b').unlink()\nshutil.rmtree('d')\nos.symlink('x', 'l')\nos.truncate(open('c', 'w').name, 3)\nopen(os.devnull, 'w').write('x')\n"
             "with tempfile.NamedTemporaryFile() as f:\n    f.write(b'x')\nwith tempfile.TemporaryDirectory() as d:\n    open(d + '/x', 'w')",
    "modes and times": "import os, shutil\nopen('m', 'w').write('x')\nos.chmod('m', 0o640)\nos.utime('m', (5, 5))\nshutil.copy('m', 'n')\nshutil.copy2('m', 'o')\n"
                       "assert os.stat('n').st_mode & 0o777 == 0o640 and os.stat('o').st_mtime == 5\n"
                       "fd = os.open('m', os.O_RDONLY)\nos.fchmod(fd, 0o600)\nos.utime(fd, (6, 6))\nos.close(fd)\nassert os.stat('m').st_mtime == 6\n"
                       "os.makedirs('sub/deep', exist_ok=True)\nos.chdir('sub')\nopen('p', 'w')\nos.chmod('p', 0o600)\nos.chmod('../m', 0o644)\nos.chdir('..')\n"
                       "d = os.open('sub', os.O_RDONLY)\nos.chmod('p', 0o640, dir_fd=d)\nos.close(d)\nassert os.stat('sub/p').st_mode & 0o777 == 0o640\n"
                       "os.chown('m', os.getuid(), os.getgid())\nos.setxattr('m', 'user.x', b'1')\nos.removexattr('m', 'user.x')",
    "threads": "import threading, queue\nfrom concurrent.futures import ThreadPoolExecutor\nassert list(ThreadPoolExecutor(4).map(abs, [-1, -2])) == [1, 2]",
    "asyncio": "import asyncio\nawait asyncio.gather(asyncio.sleep(0.01), asyncio.to_thread(sum, [1, 2]))",
    "sockets in one process": "import socket\na, b = socket.socketpair()\na.send(b'x')\nassert b.recv(1) == b'x'",
    "signals": "import signal, os, time\nseen = []\nsignal.signal(signal.SIGALRM, lambda *_: seen.append(1))\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\n"
               "time.sleep(0.1)\nassert seen",
    "looking around": "import os, platform, resource, time, getpass, locale\nos.cpu_count(), os.getloadavg(), platform.platform(), resource.getrusage(0)\n"
                      "resource.getrlimit(resource.RLIMIT_NOFILE), os.sched_getaffinity(0), time.tzname, os.listdir('/'), os.stat('/'), os.get_terminal_size",
    "sqlite": "import sqlite3\nc = sqlite3.connect('s.db')\nc.execute('pragma journal_mode=wal')\nc.execute('create table t(x)')\nc.commit()\nc.close()",
    "mmap": "import mmap\nopen('z', 'wb').write(b'0' * 4096)\nwith open('z', 'r+b') as f:\n    m = mmap.mmap(f.fileno(), 0)\n    m[0] = 65\n    m.flush()\nm = mmap.mmap(-1, 4096)",
}
BETWEEN_ROOTS = """import os, shutil, pathlib
open('x', 'w').close()
for move in (os.rename, os.replace, lambda a, b: pathlib.Path(a).rename(b)):
    try:
        move('x', '../other/x')
    except OSError as error:
        assert error.errno == 18 and 'shutil.move() copies' in str(error) and str(error).endswith("'x' -> '../other/x'"), error
shutil.move('x', '../other/x')
sorted(os.listdir('../other'))"""
FORKS = {
    "fork pool": "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as p:\n    assert p.map(abs, [-1, -2]) == [1, 2]",
    "fork executor": "import multiprocessing as mp\nfrom concurrent.futures import ProcessPoolExecutor\n"
                     "with ProcessPoolExecutor(2, mp_context=mp.get_context('fork')) as p:\n    assert list(p.map(abs, [-1])) == [1]",
    "shared array": "import multiprocessing as mp\na = mp.get_context('fork').Array('i', 3)\na[1] = 5",
}
PACKAGES = {
    "numpy": "import numpy as np\na = np.random.default_rng(0).normal(size=(300, 300))\na @ a\nnp.save('a', a)\nnp.memmap('m.bin', mode='w+', shape=(3,))[:] = 1\n"
             "np.linalg.svd(a)",
    "pandas": "import pandas as pd\nd = pd.DataFrame({'a': [1, 2]})\nd.to_csv('d.csv')\npd.read_csv('d.csv').groupby('a').sum()\nd.to_pickle('d.pkl')",
    "matplotlib": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('p.png')\nplt.show()\nplt.close('all')",
    "ipywidgets": "import ipywidgets as w\nw.VBox([w.IntSlider(), w.Button()])",
    "IPython": "get_ipython().history_manager.get_tail(3)\n%timeit -n1 -r1 1\n%precision 3\nIn[1]",
}


def start(directory, degrade, shell="plain", python=None, preset="open"):
    for name in ("work", "private"):
        (directory / name).mkdir(exist_ok=True)
    private = directory / "private"
    environment = {"TMPDIR": str(private), "IPYTHONDIR": str(private / "ipython"), "MPLCONFIGDIR": str(private / "mpl"), "HOME": str(directory / "home"),
                   "XDG_CACHE_HOME": str(private / "cache"), "MPLBACKEND": "agg"}
    if degrade:
        environment |= {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": degrade}
    return Guard(shell, python, policy_file=f'preset = "{preset}"\nok_dests = [".", "{private}"]\n', environment=environment,
                 cwd=directory / "work")


@pytest.mark.parametrize("system", SYSTEMS)
def test_standard_library(system, tmp_path):
    with start(tmp_path, SYSTEMS[system]) as guard:
        for name, cell in CELLS.items():
            outcome = guard.execute(cell, 30)
            assert outcome.error is None, (name, outcome.reply)


@pytest.mark.parametrize("name", FORKS)
def test_processes_that_libraries_fork(name, tmp_path):
    with start(tmp_path, "") as guard:
        outcome = guard.execute(FORKS[name], 30)
        assert outcome.error is None, outcome.reply


@pytest.mark.parametrize("system", SYSTEMS)
def test_packages(system, tmp_path):
    with start(tmp_path, SYSTEMS[system], "ipython", sys.executable) as guard:
        for name, cell in PACKAGES.items():
            outcome = guard.execute(cell, 60)
            assert outcome.error is None, (name, outcome.reply)


def test_the_directory_may_change(tmp_path):
    """'.' is where the session started: a cell that goes below it stays in the root, under both rings."""
    with start(tmp_path, "", preset="workspace") as guard:
        outcome = guard.execute("import os\nos.makedirs('inner')\nos.chdir('inner')\nopen('x', 'w').write('1')\nos.chmod('x', 0o600)\nos.chdir('..')\nopen('y', 'w')")
        assert outcome.error is None, outcome.reply
    assert (tmp_path / "work/inner/x").exists() and (tmp_path / "work/y").exists()


def test_a_root_that_is_missing_is_made(tmp_path):
    (tmp_path / "work").mkdir()
    with Guard(policy_file='preset = "open"\nok_dests = ["results/new"]\n', cwd=tmp_path / "work") as guard:
        assert guard.execute("open('results/new/x', 'w').write('1')").error is None
        assert guard.execute("open('results/x', 'w')").error == "OSError"


def test_dev_is_nearly_empty(tmp_path):
    with start(tmp_path, "") as guard:
        names = guard.execute("import os\nprint(*sorted(os.listdir('/dev')))").stdout.split()
        assert set(names) <= {".none", "fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"}
        assert guard.execute("os.listdir('/dev/shm')").result == "[]"


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_system_s_devices_stay_as_they_are(system, tmp_path):
    """They are the very ones that all programs have."""
    with start(tmp_path, SYSTEMS[system]) as guard:
        assert guard.execute("import os\nopen('/dev/null', 'w').write('x')\nopen('/dev/zero', 'rb').read(1)").error is None
        for change in ("chmod('/dev/null', os.stat('/dev/null').st_mode)", "utime('/dev/null')", "chown('/dev/null', -1, -1)",
                       "fchmod(0, os.stat('/dev/null').st_mode)", "utime(0)"):
            assert guard.execute(f"os.{change}").error in ("OSError", "PermissionError"), change


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a device")
@pytest.mark.parametrize("place", ["inside", "outside"])
def test_a_device_elsewhere_is_none(place, tmp_path):
    """A chroot has a /dev of its own."""
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    device = tmp_path / place / "zero"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    with start(tmp_path / "inside", "") as guard:
        assert guard.execute(f"open({str(device)!r}, 'rb').read(1)").error == "PermissionError"


def test_a_file_goes_from_one_write_root_to_another(tmp_path):
    """Mounts of the view are told apart by rename(); the words say what to do, and that works."""
    for name in ("work", "other"):
        (tmp_path / name).mkdir()
    with Guard(cwd=tmp_path / "work", policy_file=f'ok_dests = [".", "{tmp_path}/other"]\n') as guard:
        outcome = guard.execute(BETWEEN_ROOTS)
        assert outcome.error is None and outcome.result == "['x']", outcome.reply


def test_what_a_cell_writes_is_no_code(tmp_path):
    """Native code of packages loads plugins without asking: under "open" the interpreter ring does not judge either."""
    (tmp_path / ".venv").mkdir()
    shutil.copy(BUILD / "tests/isolation_attacks.so", tmp_path / ".venv/part.so")
    load = "import ctypes, shutil\nctypes.CDLL({!r})"
    with Guard(cwd=tmp_path, policy_file='preset = "open"\nok_dests = ["."]\n') as guard:
        assert guard.execute(load.format("./.venv/part.so")).error is None
        outcome = guard.execute("shutil.copy('.venv/part.so', 'own.so')\nctypes.CDLL('./own.so')")
        assert outcome.error == "OSError" and "failed to map segment" in outcome.reply["evalue"], outcome.reply
