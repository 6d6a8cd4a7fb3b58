"""What differs from one Python to the next, under every Python that is found (SAFEPYRUN_PYTHONS names others).

sys.monitoring came with 3.12; sqlite3 got blobopen and serialize with 3.11 and setconfig with 3.12. What
sqlite3 and GNU dbm are made to do is tried in an unguarded process first: a test of what does not work anyway is no test.
"""

import subprocess

import pytest

from guard_client import Guard  # noqa: E402
from pythons import PYTHONS, all_of_them  # noqa: E402


@pytest.fixture(params=PYTHONS)
def version(request):
    return request.param


@pytest.fixture
def outside(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


def has(version, expression):
    """Whether this Python has it at all."""
    return subprocess.run([PYTHONS[version], "-c", expression], capture_output=True, timeout=20).returncode == 0


# ---- sys.monitoring --------------------------------------------------------------------------------

MONITORING = {
    "use_tool_id": "m.use_tool_id, 4, 'mine'",
    "free_tool_id": "m.free_tool_id, 4",
    "set_events": "m.set_events, 4, m.events.CALL",
    "set_local_events": "m.set_local_events, 4, pool.submit(getattr, run, '__code__').result(), m.events.CALL",
    "register_callback": "m.register_callback, 4, m.events.CALL, print",
    "restart_events": "m.restart_events,",
    "clear_tool_id": "m.clear_tool_id, 4",
}
CARRIERS = {
    "direct": "run = lambda f, *a: f(*a)",
    "partial": "import functools\nrun = lambda f, *a: functools.partial(f, *a)()",
    "starmap": "import itertools\nrun = lambda f, *a: list(itertools.starmap(f, [a]))",
    "pool": "run = lambda f, *a: pool.submit(f, *a).result()",
    "thread": "def run(f, *a):\n    def held(args): raise args.exc_value\n    import threading\n    failed = []\n"
              "    threading.excepthook = lambda args: failed.append(args.exc_value)\n"
              "    t = threading.Thread(target=f, args=a); t.start(); t.join()\n    if failed: raise failed[0]",
}
PREPARE = "import sys\nfrom concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\nm = sys.monitoring\n"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_monitoring_is_for_the_guard_alone(version, carrier, outside):
    """Who could free the guard's tool or set its events could switch off what it watches."""
    if not has(version, "import sys; sys.monitoring"):
        pytest.skip("this Python has no sys.monitoring")
    with Guard("plain", PYTHONS[version], policy_file="ban_defs = false\n", cwd=outside.parent / "work") as guard:
        assert guard.execute(PREPARE + CARRIERS[carrier]).error is None
        for name, call in MONITORING.items():
            if not has(version, f"import sys; sys.monitoring.{name}"):
                continue
            outcome = guard.execute(f"run({call})")
            assert outcome.error == "PermissionError", (name, outcome.reply)
            assert "monitor the interpreter" in outcome.reply["evalue"]


# ---- profilers -------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", ["cProfile.Profile().enable()", "cProfile.run('1')"])
def test_a_profiler_says_what_to_do_instead(version, code, tmp_path):
    """From 3.12 on cProfile makes "Another profiling tool is already active" of every no."""
    with Guard("plain", PYTHONS[version], cwd=tmp_path) as guard:
        outcome = guard.execute(f"import cProfile\n{code}")
        assert "time.perf_counter()" in outcome.all("DENIAL")[0]["remedy"], outcome.reply
        (card,) = outcome.all("DISPLAY_DATA")
        assert "time.perf_counter()" in card["data"]["text/plain"]
        assert outcome.reply["evalue"].count("safepyrun refused to ") == 1
        assert outcome.reply["traceback"][-1].count("time.perf_counter()") == 1


@pytest.mark.parametrize("error", ["ValueError('Another tool')", "TypeError('Another profiling tool is already active')"])
def test_an_error_that_does_not_come_from_a_refusal_has_no_card(version, error, tmp_path):
    with Guard("plain", PYTHONS[version], cwd=tmp_path) as guard:
        guard.execute("import cProfile, contextlib")
        outcome = guard.execute(f"with contextlib.suppress(Exception): cProfile.Profile().enable()\nraise {error}")
        assert outcome.all("DENIAL") and not outcome.all("DISPLAY_DATA")
        assert "safepyrun" not in outcome.reply["evalue"]


# ---- sqlite3 ---------------------------------------------------------------------------------------

SQLITE = {
    "backup": "b.backup(sqlite3.connect(evil))",
    "backup_then_attach": "m = sqlite3.connect(':memory:'); b.backup(m); m.execute(f\"attach '{evil}' as z\"); "
                          "m.execute('create table z.t (x)')",
    "serialize_then_attach": "m = sqlite3.connect(':memory:'); m.deserialize(b.serialize()); "
                             "m.execute(f\"attach '{evil}' as z\"); m.execute('create table z.t (x)')",
    "deserialize_then_vacuum": "m = sqlite3.connect(':memory:'); m.deserialize(b.serialize()); m.execute(f\"vacuum into '{evil}'\")",
    "attach": "b.execute('attach ? as z', (evil,)); b.execute('create table z.t (x)')",
    "attach_in_script": "b.executescript(f\"attach '{evil}' as z; create table z.t (x);\")",
    "attach_by_cursor": "sqlite3.Cursor(b).execute(f\"attach '{evil}' as z\").execute('create table z.t (x)')",
    "attach_after_second_init": "b.__init__('mine.db'); b.execute(f\"attach '{evil}' as z\"); b.execute('create table z.t (x)')",
    "attach_after_bare_init": "c = sqlite3.Connection.__new__(sqlite3.Connection); sqlite3.Connection.__init__(c, 'mine.db'); "
                              "c.execute(f\"attach '{evil}' as z\"); c.execute('create table z.t (x)')",
    "vacuum_into": "b.execute('vacuum main into ?', (evil,))",
    "keyword": "sqlite3.connect(database=evil).execute('create table t (x)')",
    "factory": "sqlite3.connect('mine.db', factory=lambda *a, **k: sqlite3.Connection(evil)).execute('create table t (x)')",
    "vfs": "sqlite3.connect(f'file:{evil}?vfs=unix-none', uri=True).execute('create table t (x)')",
    "function": "b.create_function('f', 0, lambda: sqlite3.connect(evil).execute('create table t (x)') and 1); "
                "b.execute('select f()').fetchall()",
    "pool": "pool.submit(sqlite3.connect, evil).result()",
}
BASE = ("import sqlite3\nfrom concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\nevil = outside + '/evil'\n"
        "b = sqlite3.connect('mine.db')\nb.execute('create table t (x blob)')\nb.execute('insert into t values (zeroblob(9))')\nb.commit()\n")
RELAYED = {"backup", "keyword", "factory", "vfs", "pool"}   # the others: SQLite says it in words of its own


@pytest.mark.parametrize("name", SQLITE)
def test_sqlite_stays_below_the_roots(version, name, outside):
    work = outside.parent / "work"
    setup = f"outside = {str(outside)!r}\n" + BASE
    free = subprocess.run([PYTHONS[version], "-c", setup + SQLITE[name]], cwd=work, capture_output=True, text=True, timeout=30)
    assert (outside / "evil").exists(), free.stderr     # it does work without a guard
    for file in (outside / "evil", work / "mine.db"):
        file.unlink()
    with Guard("plain", PYTHONS[version], policy_file="ban_defs = false\n", cwd=work) as guard:
        assert guard.execute(setup).error is None
        outcome = guard.execute(SQLITE[name])
        assert outcome.error == "PermissionError" if name in RELAYED else outcome.error in ("DatabaseError", "OperationalError")
        assert len(outcome.all("DENIAL")) >= 1
        assert "safepyrun refused to " in outcome.reply["evalue"]
    assert not list(outside.iterdir())


def test_blobs_and_serialized_bytes_work(version, outside):
    with Guard("plain", PYTHONS[version], cwd=outside.parent / "work") as guard:
        assert guard.execute(f"outside = {str(outside)!r}\n" + BASE).error is None
        code = ("with b.blobopen('t', 'x', 1) as blob: blob.write(b'hi')\nc = sqlite3.connect(':memory:')\n"
                "c.deserialize(b.serialize())\nc.execute('select x from t').fetchone()[0][:2]")
        assert guard.execute(code).result == "b'hi'"


def test_sqlite_takes_no_extension(version, outside):
    """By the SQL function, by the method and, from 3.12 on, by setconfig(): whichever this build has."""
    with Guard("plain", PYTHONS[version], cwd=outside.parent / "work") as guard:
        guard.execute("import sqlite3\nc = sqlite3.connect(':memory:')")
        if guard.execute("hasattr(c, 'setconfig')").result == "True":
            code = "c.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, True)"
            assert guard.execute(code).error == "PermissionError"
        outcome = guard.execute("c.execute(\"select load_extension('/evil.so')\")")
        assert outcome.error == "OperationalError" and "not authorized" in outcome.reply["evalue"]
        if guard.execute("hasattr(c, 'load_extension')").result == "True":
            for call in ("c.enable_load_extension(True)", "c.load_extension('/evil')"):
                assert guard.execute(call).error == "PermissionError"


@pytest.mark.parametrize("pragma", ["temp_store_directory = '{}'", "TEMP_STORE_DIRECTORY('{}')", "main.temp_store_directory='{}'"])
def test_sqlite_keeps_its_temporary_files(version, pragma, outside):
    """They are removed at once, so that the time of the folder is what tells."""
    fill = ("c = sqlite3.connect('other.db')\nc.execute('pragma cache_size = 10')\nc.execute('create temp table t (x)')\n"
            "c.execute('insert into t values (zeroblob(3000000))')\nc.close()")
    set_it = f'sqlite3.connect(":memory:").execute("pragma {pragma.format(outside)}")\n'
    before = outside.stat().st_mtime_ns
    subprocess.run([PYTHONS[version], "-c", "import sqlite3\n" + set_it + fill], cwd=outside.parent / "work", check=True, timeout=30)
    touched = outside.stat().st_mtime_ns
    assert touched != before
    with Guard("plain", PYTHONS[version], cwd=outside.parent / "work") as guard:
        assert guard.execute("import sqlite3\n" + set_it).error == "DatabaseError"
        assert guard.execute(fill).error is None
    assert outside.stat().st_mtime_ns == touched


def test_ndbm_follows_no_link_to_the_outside(version, outside):
    if not has(version, "import dbm.ndbm"):
        pytest.skip("this Python was built without ndbm")
    victim = outside / "victim"
    victim.write_text("as it was")
    for ending in (".db", ".pag", ".dir"):
        (outside.parent / "work" / f"d{ending}").symlink_to(victim)
    with Guard("plain", PYTHONS[version], cwd=outside.parent / "work") as guard:
        outcome = guard.execute("import dbm.ndbm\nwith dbm.ndbm.open('d', 'n') as d: d[b'x'] = b'y'")
        assert outcome.error == "PermissionError"
        assert guard.execute("with dbm.ndbm.open('mine', 'n') as d: d[b'x'] = b'y'").error is None
    assert victim.read_text() == "as it was"


# ---- GNU dbm ---------------------------------------------------------------------------------------

REORGANIZE = ("import os, _gdbm\nos.mkdir('folder')\nbase = _gdbm.open('folder/evil', 'c')\n"
              "os.rename('folder', 'moved')\nos.symlink(outside, 'folder')\nbase.reorganize()")


def test_a_database_of_gnu_dbm_is_made_anew_where_it_was(version, outside):
    """By a second file beside it, which takes its name: the folder that had it may be a link by then."""
    if not has(version, "import _gdbm"):
        pytest.skip("this Python has no _gdbm (Debian: python3-gdbm)")
    work = outside.parent / "work"
    code = f"outside = {str(outside)!r}\n" + REORGANIZE
    subprocess.run([PYTHONS[version], "-c", code], cwd=work, check=True, timeout=30)
    assert (outside / "evil").exists()     # it does work without a guard
    (outside / "evil").unlink()
    (work / "folder").unlink()
    (work / "moved").rename(work / "old")
    with Guard("plain", PYTHONS[version], cwd=work) as guard:
        outcome = guard.execute(code)
        assert outcome.error == "PermissionError" and "outside the write roots" in outcome.reply["evalue"]
        assert guard.execute("_gdbm.open('mine', 'c').reorganize()").error is None
    assert not list(outside.iterdir())


# ---- names of arguments ----------------------------------------------------------------------------

LIE = """import faulthandler, functools, os, stat
from concurrent.futures import ThreadPoolExecutor
sockets = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
Sly = type("Sly", (str,), {"__hash__": lambda self: hash("file"), "__eq__": lambda self, other: True})
"""


def test_a_name_is_judged_as_what_it_is_taken_for(version, outside):
    """Under the text of another one, it says that it is equal to a parameter's."""
    with Guard("plain", PYTHONS[version], cwd=outside.parent / "work") as guard:
        assert guard.execute(LIE).error is None
        for text, error in (("other", "TypeError"), ("file", "PermissionError")):
            code = f"ThreadPoolExecutor(1).submit(functools.partial(faulthandler.dump_traceback, **{{Sly({text!r}): sockets[0]}})).result()"
            assert guard.execute(code).error == error
        assert guard.execute("6 * 7").result == "42"


# ---- IPython ---------------------------------------------------------------------------------------


def ipython_of(python):
    """(8, 12) of the one that is installed for this Python; None where there is none."""
    done = subprocess.run([python, "-c", "import IPython; print(*IPython.version_info[:2])"], capture_output=True, text=True, timeout=60)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def test_an_older_ipython_is_used(tmp_path):
    """"auto" falls back to the plain shell where IPython does not start, and says so in the log alone."""
    older = next((python for python in all_of_them() if (8, 5) <= (ipython_of(python) or (0, 0)) < (9, 0)), None)
    if older is None:
        pytest.skip("no Python here has an IPython 8")
    with Guard("ipython", older, cwd=tmp_path, environment={"IPYTHONDIR": str(tmp_path / "ipython")}) as guard:
        outcome = guard.execute("%time x = 6 * 7\nx")
        assert outcome.result == "42" and "Wall time" in outcome.stdout
        assert guard.execute("open is __builtins__.open").result == "True"
        assert guard.execute("%run nowhere.py").error is not None
