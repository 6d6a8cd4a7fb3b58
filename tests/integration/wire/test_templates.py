"""[warm] templates: a guard that is forked from a warm process is a guard as any other, only sooner there.

Each test has a runtime folder and a home of its own, which its kernels share.
"""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from frontend import only, text
from kernel_process import PROGRAM, clean_environment, gone

WARM = "[warm]\ntemplates = true\n"
REQUEST = struct.Struct("=III")  # kind, umask, bytes of the environment: guard/link/template_request.h
STATUS = 1


class Warm:
    """Kernels of one user; `policy` of all of them unless a test says otherwise."""

    def __init__(self, start_kernel, shell, folder):
        self.start_kernel, self.shell, self.folder = start_kernel, shell, folder
        self.run, self.home = folder / "run", folder / "home"
        self.run.mkdir(mode=0o700)
        self.home.mkdir()
        self.environment = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.run)}
        self.logs, self.kernels = [], []

    def start(self, policy=WARM, environment=None, arguments=(), **keywords):
        log = self.folder / f"{len(self.logs)}.log"
        self.logs.append(log)
        kernel = self.start_kernel(shell=self.shell, policy=policy, environment=self.environment | (environment or {}),
                                   arguments=["--log", log, "--log-level", "debug", *arguments], **keywords)
        kernel.log = log
        self.kernels.append(kernel)
        return kernel

    def command(self, *words):
        environment = clean_environment(self.home) | self.environment
        return subprocess.run([PROGRAM, "template", *words], env=environment, capture_output=True, text=True, timeout=20)

    def template(self, imports=""):
        """Its pid, as soon as one with these modules answers."""
        deadline = time.monotonic() + 50     # matplotlib looks at all fonts where it has no notes of them
        while time.monotonic() < deadline:
            for one in self.command("status").stdout.split("\n\n"):
                said = dict(line.partition(" ")[::2] for line in one.splitlines())
                if "pid" in said and said["imports"] == imports:
                    return int(said["pid"])
            time.sleep(0.1)
        raise TimeoutError(self.command("status").stdout)

    def warmed(self, imports=("",), **keywords):
        """A template is there: that of a first kernel, which is over."""
        first = self.start(**keywords)
        front = first.frontend()
        front.run("1")
        pid = self.template(*imports)
        first.stop()
        return pid


@pytest.fixture
def warm(start_kernel, shell):
    folder = Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))  # the path of a socket is short
    warm = Warm(start_kernel, shell, folder)
    yield warm
    for kernel in warm.kernels:  # first: each may start a template yet
        kernel.stop()
    warm.command("stop")
    shutil.rmtree(folder)


def forked_guard(kernel):
    found = re.findall(r"guard (\d+) started from a template", kernel.log.read_text())
    return psutil.Process(int(found[-1])) if found else None


def value(front, code):
    _, outputs = front.run(code)
    return only(outputs, "execute_result").content["data"]["text/plain"]


def test_the_second_kernel_comes_from_a_template(warm):
    first = warm.start()
    assert value(first.frontend(), "1 + 1") == "2"
    assert forked_guard(first) is None
    template = warm.template()
    second = warm.start()
    front = second.frontend()
    assert value(front, "1 + 1") == "2"
    guard = forked_guard(second)
    assert guard is not None and guard.ppid() not in (second.process.pid, template)
    assert value(front, "import os; os.getpid()") == str(guard.pid)


def test_none_unless_the_policy_wants_it(warm):
    for policy in (None, "[warm]\ntemplates = false\n"):
        warm.start(policy=policy).frontend().run("1")
    time.sleep(2.5)
    assert warm.command("status").stdout == "there is none\n"


def digest(*parts):
    """Of kernel/supervisor/template_key.c, for a note that no policy of ours has made."""
    data = b"".join(b"%d " % len(part) + part for part in parts[:-1]) + parts[-1]

    def fnv(value):
        for byte in data:
            value = ((value ^ byte) * 0x100000001b3) & (1 << 64) - 1
        return value
    one = fnv(0xcbf29ce484222325)
    return f"{one:016x}{fnv(one ^ 0x9e3779b97f4a7c15):016x}"


def test_the_guard_itself_looks_at_the_policy(warm):
    """What is noted in the runtime folder is a hint: a fork that its policy forbids never serves."""
    warm.warmed()
    policy = "[warm]\ntemplates = false\n"
    note = digest(b"argument", policy.encode(), b"", warm.shell.encode())
    (warm.run / "safepyrun" / f"{note}.policy").write_text("1 *\n")
    kernel = warm.start(policy=policy)
    assert value(kernel.frontend(), "1 + 1") == "2"
    log = kernel.log.read_text()
    assert "started from a template" in log and "the policy wants no template" in log
    assert len(kernel.family()) == 2  # a guard of its own after all


REFUSED = {
    "write": "open('/tmp/safepyrun-template-test', 'w')",
    "import": "import socket",
    "program": "import subprocess; subprocess.run(['/bin/true'])",
    "secret": "import os; open(os.path.expanduser('~/.ssh/id_rsa'))",
    "socket folder": "import os; os.listdir(os.environ['XDG_RUNTIME_DIR'] + '/safepyrun')",
    "note": "import os; open(os.environ['XDG_RUNTIME_DIR'] + '/safepyrun/x.policy', 'w')",
}


def test_its_guard_refuses_what_any_guard_refuses(warm):
    warm.warmed()
    kernel = warm.start()
    front = kernel.frontend()
    for code in REFUSED.values():
        reply, _ = front.run(code)
        assert reply.content["status"] == "error" and reply.content["ename"] == "PermissionError", code
    assert forked_guard(kernel) is not None


def what_holds(pid):
    """Whatever the system says of a sealed guard."""
    status = Path(f"/proc/{pid}/status").read_text()
    seals = re.findall(r"^(?:Seccomp\w*|NoNewPrivs|Cap\w+|Umask|SigBlk|SigCgt|Threads):.*", status, re.MULTILINE)
    ignored = int(re.search(r"^SigIgn:\t(\w+)", status, re.MULTILINE)[1], 16) & 0x7fffffff  # above are the C library's own
    spaces = os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    descriptors = sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    limits = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines()
              if "processes" not in line]  # counted from what the machine has at that moment
    session = os.getsid(pid) == os.getpgid(pid) == pid
    process = psutil.Process(pid)
    return seals, ignored, spaces, descriptors, limits, session, process.nice(), process.cpu_affinity()


def settled(look):
    """What is seen when nothing changes any more: while a copy is made there are descriptors for it."""
    before = look()
    while True:
        time.sleep(0.3)
        now = look()
        if now == before:
            return now
        before = now


def test_the_os_ring_is_whole(warm):
    """Of a guard from a template as of another: the same parts, the same seals, the same descriptors."""
    seen = []
    for _ in range(2):
        kernel = warm.start()
        front = kernel.frontend()
        front.run("1")
        info = front.ask("kernel_info_request")
        front.wait_for_copy()
        guard = forked_guard(kernel) or kernel.guard()
        info = info["safepyrun"] if "safepyrun" in info else info["implementation"]
        seen.append((info, *settled(lambda pid=guard.pid: what_holds(pid))))
        if len(seen) == 1:
            warm.template()
    assert forked_guard(kernel) is not None
    assert seen[0] == seen[1]


def test_what_belongs_to_a_session_is_the_sessions(warm):
    template = warm.warmed(environment={"COLOUR": "red", "API_TOKEN": "its own"})
    kernel = warm.start(environment={"COLOUR": "blue", "API_TOKEN": "hidden", "TZ": "UTC"}, prefix=["sh", "-c", 'umask 027; exec "$@"', "sh"])
    assert value(kernel.frontend(), "1 + 1") == "2"
    assert forked_guard(kernel) is None  # TZ is read early: that is another template
    kernel = warm.start(environment={"COLOUR": "blue", "API_TOKEN": "hidden"}, prefix=["sh", "-c", 'umask 027; exec "$@"', "sh"])
    front = kernel.frontend()
    assert value(front, "import os; os.environ['COLOUR'], 'API_TOKEN' in os.environ") == "('blue', False)"
    assert value(front, "os.getcwd()") == repr(str(kernel.work))
    assert value(front, "import tempfile; tempfile.gettempdir() == os.environ['TMPDIR']") == "True"
    front.run("open('made', 'w').close()")
    assert (kernel.work / "made").stat().st_mode & 0o777 == 0o640
    guard = forked_guard(kernel)
    assert guard is not None
    for pid in (template, guard.ppid(), guard.pid):
        kept = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"API_TOKEN" not in kept and b"COLOUR" not in kept


def test_a_shell_made_before_the_fork_is_the_sessions(warm):
    """Set-up files run without IPython, as in any guard; then folders and streams are those of this process."""
    if warm.shell != "ipython":
        pytest.skip("the plain shell is made in the guard")
    setup = warm.folder / "tools.py"
    setup.write_text("import sys, builtins\nfrom IPython import get_ipython\n"
                     "seen = (get_ipython(), hasattr(builtins, 'get_ipython'), sys.displayhook is sys.__displayhook__)\n"
                     "print('from set-up')\n")
    policy = WARM + f'[setup]\nfiles = ["{setup}"]\n'
    warm.warmed(policy=policy)
    kernel = warm.start(policy=policy)
    front = kernel.frontend()
    assert value(front, "seen") == "(None, False, True)"
    assert forked_guard(kernel) is not None
    assert value(front, "import os, sys; ip = get_ipython()\n"
                        "(ip.ipython_dir, ip.profile_dir.location, ip.starting_dir, [str(d) for d in _dh]) == "
                        "(os.environ['IPYTHONDIR'], os.environ['IPYTHONDIR'] + '/profile_default', os.getcwd(), [os.getcwd()])"
                 ) == "True"
    assert value(front, "ip._orig_sys_module_state['stdout'] is sys.stdout") == "True"
    assert value(front, "%pwd") == repr(str(kernel.work))
    reply, outputs = front.run("print(1)\ndisplay(2)\n1 / 0")
    assert reply.content["ename"] == "ZeroDivisionError" and text(outputs) == "1\n"


def test_chance_is_fresh_in_each(warm):
    warm.warmed()
    drawn = set()
    for _ in range(3):
        kernel = warm.start()
        drawn.add(value(kernel.frontend(), "import random, uuid; (random.random(), uuid.uuid4())"))
        assert forked_guard(kernel) is not None
    assert len(drawn) == 3


def test_interrupt_and_limits(warm):
    policy = WARM + "[limits]\ntimeout_seconds = 1\n"
    warm.warmed(policy=policy)
    kernel = warm.start(policy=policy)
    front = kernel.frontend()
    reply, _ = front.run("while True: pass")
    assert reply.content["ename"] == "LimitExceeded"
    msg_id = front.execute("print('on', flush=True)\nimport time; time.sleep(30)")
    front.until(msg_id, "stdout")
    front.send("control", "interrupt_request", {})
    assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
    assert forked_guard(kernel) is not None


OPEN = 'preset = "open"\nok_dests = "any"\nos_ring = "off"\n' + WARM


@pytest.mark.unsanitized     # a template's environment is not the tests', which says that a signal is to end it
@pytest.mark.parametrize("code, words", [("import ctypes; ctypes.string_at(0)", "SIGSEGV"), ("import os; os._exit(3)", "3")])
def test_its_death_is_told(warm, code, words):
    policy = OPEN + "[limits]\ncopies = 0\n"      # or a frozen copy takes over, where there was time for one
    warm.warmed(policy=policy)
    kernel = warm.start(policy=policy, arguments=["--on-guard-death", "respawn"])
    front = kernel.frontend()
    front.run("1")
    dead = forked_guard(kernel)
    reply, _ = front.run(code)
    assert reply.content["ename"] == "GuardDied" and words in reply.content["evalue"]
    assert value(front, "1 + 1") == "2"
    assert forked_guard(kernel).pid != dead.pid


def test_its_frozen_copies_take_over(warm):
    """Also when it has multiplied matrices: the threads for that are stopped in a fork."""
    pytest.importorskip("numpy")
    policy = OPEN + 'imports = ["numpy"]\n'
    warm.warmed(imports=("numpy",), policy=policy)
    kernel = warm.start(policy=policy)
    front = kernel.frontend()
    front.run("import numpy\nx = 41\ny = numpy.ones((300, 300)) @ numpy.ones((300, 300))")
    assert forked_guard(kernel) is not None
    for words in ("SIGKILL", "SIGABRT"):
        front.wait_for_copy(30)
        reply, _ = front.run(f"import os, signal; os.kill(os.getpid(), signal.{words})")
        assert reply.content["ename"] == "GuardDied" and words in reply.content["evalue"]
        assert value(front, "x + int(y[0, 0])") == "341"


@pytest.mark.parametrize("end", ["shutdown", "kill"])
def test_nothing_outlives_the_kernel(warm, end):
    policy = OPEN + "[limits]\ncopies = 0\n"  # a copy may be there, or not yet
    template = warm.warmed(policy=policy)
    kernel = warm.start(policy=policy)
    front = kernel.frontend()
    front.run("import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(100)")
    guard = forked_guard(kernel)
    keeper = guard.parent()
    family = [keeper, *keeper.children(recursive=True)]
    assert len(family) == 3
    if end == "kill":
        kernel.process.kill()
    else:
        front.send("control", "shutdown_request", {"restart": False})
    kernel.wait(2.5)
    deadline = time.monotonic() + 5
    while not gone(family) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(family)
    assert psutil.pid_exists(template)


def test_its_keeper_is_small_and_holds_nothing_of_the_template(warm):
    template = warm.warmed()
    kernel = warm.start()
    front = kernel.frontend()
    assert value(front, "1 + 1") == "2"
    guard = forked_guard(kernel)
    keeper = guard.parent()
    assert keeper.cmdline() == ["safepyrun-keeper"]
    assert keeper.memory_info().rss < guard.memory_info().rss / 2
    kinds = [os.readlink(f"/proc/{keeper.pid}/fd/{number}") for number in sorted(os.listdir(f"/proc/{keeper.pid}/fd"), key=int)]
    assert len(kinds) == 5 and kinds[3].startswith("socket:") and kinds[4] == "anon_inode:[signalfd]"
    warm.command("stop")    # whoever had its lock would be taken for the template
    warm.start().frontend().run("1")
    assert warm.template() != template
    assert value(front, "2 + 2") == "4"


def test_the_c_library_knows_its_processor(warm):
    """What vfork() takes from a thread (rseq) is there again."""
    policy = 'preset = "open"\n' + WARM
    warm.warmed(policy=policy)
    kernel = warm.start(policy=policy)
    told = value(kernel.frontend(), """import ctypes, os
told = []
for processor in sorted(os.sched_getaffinity(0)):
    os.sched_setaffinity(0, {processor})
    told.append(ctypes.CDLL(None).sched_getcpu() == processor)
told""")
    assert forked_guard(kernel) is not None
    assert "False" not in told and "True" in told


def test_who_connects_and_says_nothing_holds_nobody_up(warm):
    warm.warmed()
    path, = warm.run.glob("safepyrun/*.s")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        assert value(warm.start().frontend(), "1 + 1") == "2"
        assert ask(path).startswith(b"pid ")


def test_a_template_that_hangs_costs_a_moment(warm):
    template = warm.warmed()
    os.kill(template, signal.SIGSTOP)
    try:
        kernel = warm.start()
        assert value(kernel.frontend(), "1 + 1") == "2"
        assert "the template does not answer" in kernel.log.read_text()
    finally:
        os.kill(template, signal.SIGCONT)


def test_a_template_that_was_killed_is_replaced(warm):
    os.kill(warm.warmed(), signal.SIGKILL)
    kernel = warm.start()
    assert value(kernel.frontend(), "1 + 1") == "2"
    assert forked_guard(kernel) is None
    warm.template()


def test_what_templates_of_other_days_left_is_cleared_away(warm):
    folder = warm.run / "safepyrun"
    folder.mkdir(mode=0o700)
    for name, age in (("old", 2 * 86400), ("lately", 3600)):
        for ending in ("s", "lock", "log"):
            (folder / f"{name}.{ending}").touch()
            os.utime(folder / f"{name}.{ending}", (time.time() - age,) * 2)
    assert warm.command("start").stdout == "started\n"
    left = {path.name for path in folder.iterdir()}
    assert not any(name.startswith("old.") for name in left) and {"lately.s", "lately.lock", "lately.log"} <= left
    assert warm.command("stop").stdout == "stopped\n"


def test_it_ends_when_nobody_comes(warm):
    assert warm.command("start", "--python", sys.executable, "--shell", warm.shell, "--idle", "1").stdout == "started\n"
    pid = warm.template()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)
    assert not list(warm.run.glob("safepyrun/*.s"))


def test_new_packages_retire_it(warm):
    venv = warm.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", venv], check=True, timeout=60)
    python = str(venv / "bin" / "python")
    warm.command("start", "--python", python, "--shell", warm.shell)
    old = warm.template()
    site = next(venv.glob("lib/python3*/site-packages"))
    (site / "something_new.py").write_text("")
    assert warm.command("status").stdout == "there is none\n"
    warm.command("start", "--python", python, "--shell", warm.shell)
    assert warm.template() != old


def ask(path, before=lambda: None):
    """What a process that has done `before` hears from a template: b"" is nothing."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        heard = b"refused"
        try:
            before()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(path))
                connection.sendall(REQUEST.pack(STATUS, 0, 0))
                heard = connection.recv(1000)
        except OSError:
            pass
        os.write(writing, heard)
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as answer:
        return answer.read()


def seal():
    import ctypes
    assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS, as every cell has it


@pytest.mark.parametrize("what", ["nobody", "seals"])
def test_strangers_get_nothing(warm, what):
    warm.warmed()
    path, = warm.run.glob("safepyrun/*.s")
    assert ask(path).startswith(b"pid ")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    if what == "nobody" and os.geteuid() != 0:
        pytest.skip("another user can be tried by root alone")
    if what == "nobody":
        for each in (warm.folder, warm.run, path.parent):
            each.chmod(0o755)  # and would get no further if the folders were open
        path.chmod(0o666)
        assert ask(path, lambda: os.setuid(65534)) in (b"", b"refused")
        path.parent.chmod(0o700)
        warm.run.chmod(0o700)
    else:
        assert ask(path, seal) in (b"", b"refused")


@pytest.mark.parametrize("network", ["", '[network]\nallow = ["example.org:443"]\n'], ids=["none", "some"])
def test_no_cell_hears_a_template(warm, network):
    """The preset "open" asks nothing in the interpreter: what holds here is the system, then the template itself."""
    policy = 'preset = "open"\n' + network + WARM
    warm.warmed(policy=policy)
    kernel = warm.start(policy=policy)
    front = kernel.frontend()
    path, = warm.run.glob("safepyrun/*.s")
    assert ask(path).startswith(b"pid ")
    reply, outputs = front.run(f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({str(path)!r})\n"
                               f"s.sendall({REQUEST.pack(STATUS, 0, 0)!r})\nprint(s.recv(1000))")
    assert reply.content["status"] == "error" or text(outputs) == "b''\n"
    assert forked_guard(kernel) is not None


def test_it_learns_names_of_its_table_only(warm):
    kernel = warm.start()
    front = kernel.frontend()
    front.run("import sys, types")
    front.run("sys.modules['antigravity'] = sys.modules['numpy,os'] = types.ModuleType('x')")
    front.run("import asyncio")
    warm.template("asyncio")
    used, = warm.run.glob("safepyrun/*.used")
    assert re.fullmatch(r"(asyncio|jedi) \d+\n", used.read_text())


def test_named_modules_come_from_installed_packages_only(warm):
    """A module that lies where cells may write is not imported where nobody guards."""
    trap = warm.home / "trap.py"
    trap.write_text("open(__file__ + '.ran', 'w')")
    policy = WARM + 'imports = ["trap", "sqlite3"]\n'
    kernel = warm.start(policy=policy, environment={"PYTHONPATH": str(warm.home)})
    kernel.frontend().run("1")
    time.sleep(2.5)
    assert warm.command("status").stdout == "there is none\n"
    kernel = warm.start(policy=policy)
    kernel.frontend().run("1")
    warm.template("sqlite3")
    assert not (warm.home / "trap.py.ran").exists()


def test_figures_of_a_template_with_matplotlib(warm):
    if warm.shell != "ipython":
        pytest.skip("inline figures are IPython's")
    for name in ("matplotlib", "numpy"):
        pytest.importorskip(name)
    policy = WARM + 'imports = ["numpy", "matplotlib.pyplot"]\n'
    warm.warmed(imports=("numpy,matplotlib.pyplot",), policy=policy)
    kernels = [warm.start(policy=policy) for _ in range(2)]
    drawn = set()
    for kernel in kernels:
        front = kernel.frontend()
        _, outputs = front.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()")
        assert "image/png" in only(outputs, "display_data").content["data"]
        assert value(front, "import os, matplotlib; matplotlib.get_configdir() == os.environ['MPLCONFIGDIR']") == "True"
        drawn.add(value(front, "import numpy; numpy.random.random()"))
        assert value(front, "int((numpy.ones((300, 300)) @ numpy.ones((300, 300)))[0, 0])") == "300"
        assert forked_guard(kernel) is not None
    assert len(drawn) == 2


def test_a_module_that_is_not_there_is_named(warm):
    done = warm.command("start", "--shell", warm.shell, "--imports", "sqlite3,nosuch")
    assert (done.stdout, done.returncode) == ("started\n", 1)
    assert done.stderr == "nosuch is left out: ModuleNotFoundError(\"No module named 'nosuch'\")\n"
    done = warm.command("start", "--shell", warm.shell, "--imports", "sqlite3")
    assert (done.stdout, done.returncode, done.stderr) == ("started\n", 0, "")
    assert warm.template("sqlite3")


def test_usage(warm):
    assert warm.command().returncode == 2
    assert warm.command("--help").stdout.startswith("usage: safepyrun template start")
    assert "there is no nonsense" in warm.command("nonsense").stderr
    assert warm.command("start", "--python").returncode == 2
    unknown = warm.command("start", "--shell", "bash")
    assert unknown.returncode == 2 and "auto, ipython or plain, not bash" in unknown.stderr and not unknown.stdout
    missing = warm.command("start", "--python", "/nowhere/python")
    assert missing.returncode == 1 and "/nowhere/python" in missing.stderr and not missing.stdout
    assert warm.command("status").stdout == "there is none\n"
