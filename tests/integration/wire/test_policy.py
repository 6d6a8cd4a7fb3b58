"""Policy files as a user of the kernel meets them: where they are looked for, what a wrong one does, secrets."""

import json
import subprocess

import pytest
from frontend import text
from kernel_process import PROGRAM, PROJECT, clean_environment


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.fixture
def place(tmp_path):
    """The home and the notebook's folder that the first kernel of a test gets."""
    return tmp_path / "0" / "home", tmp_path / "0" / "work"


def runs_def(kernel):
    return kernel.frontend().run("def f(): pass")[0].content["status"] == "ok"


def refusal(kernel):
    reply, _ = kernel.frontend().run("1")
    assert reply.content["status"] == "error"
    return reply.content["evalue"]


# ---- where files are looked for ---------------------------------------------------------------------

def test_the_users_own(start_kernel, place):
    put(place[0] / ".config/safepyrun/policy.toml", "ban_defs = false\n")
    assert runs_def(start_kernel())


def test_xdg_config_home(start_kernel, place, tmp_path):
    put(tmp_path / "config/safepyrun/policy.toml", "ban_defs = false\n")
    put(place[0] / ".config/safepyrun/policy.toml", "wrong = 1\n")
    assert runs_def(start_kernel(environment={"XDG_CONFIG_HOME": str(tmp_path / "config")}))


@pytest.mark.parametrize("says", [True, False])
def test_the_projects(start_kernel, place, says):
    put(place[0] / ".config/safepyrun/policy.toml", f"project_policy = {str(says).lower()}\n")
    put(place[1] / ".safepyrun.toml", "ban_defs = false\n")
    assert runs_def(start_kernel()) == says


def test_the_projects_without_a_users(start_kernel, place):
    put(place[1] / ".safepyrun.toml", "this is not looked at")
    assert not runs_def(start_kernel())


def test_later_files_win(start_kernel, place, tmp_path):
    put(place[0] / ".config/safepyrun/policy.toml", "project_policy = true\nban_defs = true\nban_imports = [\"json\"]\n")
    put(place[1] / ".safepyrun.toml", "ban_imports = [\"csv\"]\nprotect = []\n")
    named = put(tmp_path / "named.toml", "ban_imports = [\"html\"]\n")
    front = start_kernel(environment={"SAFEPYRUN_POLICY": str(named)}, policy="ban_defs = false\n").frontend()
    status = {code: front.run(code)[0].content["status"]
              for code in ("import json", "import csv", "import html", "def f(): pass")}
    assert status == {"import json": "ok", "import csv": "ok", "import html": "error", "def f(): pass": "ok"}


def test_write_roots_of_the_command_line_stay(start_kernel, tmp_path):
    asked = tmp_path / "asked"
    asked.mkdir()
    kernel = start_kernel(policy='preset = "read-only"\n', arguments=["--write-root", asked])
    front = kernel.frontend()
    assert front.run(f"open('{asked}/x', 'w').close()")[0].content["status"] == "ok"
    assert front.run("open('x', 'w')")[0].content["ename"] == "PermissionError"


#: preset: what an analyst does under it
WORK = {
    "read-only": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "strict": "import pandas, statsmodels.formula.api as smf\nsmf.ols('a ~ b', pandas.DataFrame({'a': [1, 2, 4], 'b': [1, 2, 3]})).fit().params",
}


@pytest.mark.unsanitized
@pytest.mark.parametrize("preset", WORK)
def test_work_under_the_narrower_presets(start_kernel, preset):
    front = start_kernel(policy=f'preset = "{preset}"\n').frontend()
    reply, _ = front.run(WORK[preset], timeout=60)
    assert reply.content["status"] == "ok", reply.content
    assert front.run("open('x', 'w')")[0].content["ename"] == "PermissionError"


# ---- what is wrong is told by every cell ------------------------------------------------------------

@pytest.mark.parametrize("content,told", [("ban_def = true\n", "line 1"), ("ban_defs = 1\n", "true or false"), ("=", "line 1")])
def test_a_wrong_file_of_the_user(start_kernel, place, content, told):
    path = put(place[0] / ".config/safepyrun/policy.toml", content)
    kernel = start_kernel()
    message = refusal(kernel)
    assert str(path) in message and told in message
    assert refusal(kernel) == message


def test_a_file_that_is_there_and_cannot_be_read(start_kernel, place):
    (place[0] / ".config/safepyrun/policy.toml").mkdir(parents=True)
    assert "no regular file" in refusal(start_kernel())


def test_a_named_file_that_is_missing(start_kernel):
    message = refusal(start_kernel(environment={"SAFEPYRUN_POLICY": "/nowhere/policy.toml"}))
    assert "/nowhere/policy.toml" in message and "No such file" in message


def test_an_error_in_a_setup_file(start_kernel, place):
    put(place[0] / ".config/safepyrun/policy.toml", "[setup]\nfiles = [\"tools.py\"]\n")
    put(place[0] / ".config/safepyrun/tools.py", "x = 1\nx.y\n")
    message = refusal(start_kernel())
    assert "tools.py, line 2" in message and "AttributeError" in message


# ---- secrets ----------------------------------------------------------------------------------------

def test_the_connection_file_is_not_read(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    for path in (kernel.file, "../connection.json"):
        reply = front.run(f"open('{path}').read()")[0].content
        assert reply["ename"] == "PermissionError" and "keys and records of kernels may not be read" in reply["evalue"]
    kernel_with_empty_list = start_kernel(shell=shell, policy="deny_read = [\"!*\"]\n")
    reply, _ = kernel_with_empty_list.frontend().run(f"open('{kernel_with_empty_list.file}')")
    assert reply.content["ename"] == "PermissionError"


def test_jupyters_runtime_folder(start_kernel, place):
    put(place[0] / ".local/share/jupyter/runtime/kernel-other.json", json.dumps({"key": "k"}))
    front = start_kernel().frontend()
    code = "import os\nopen(os.path.expanduser('~/.local/share/jupyter/runtime/kernel-other.json'))"
    assert front.run(code)[0].content["ename"] == "PermissionError"


def test_secrets_of_the_environment(start_kernel, shell):
    kernel = start_kernel(shell=shell, environment={"GITHUB_TOKEN": "s3cret", "MY_SETTING": "x"})
    front = kernel.frontend()
    printed = text(front.run("import os\nprint(os.environ.get('GITHUB_TOKEN'), os.environ['MY_SETTING'])\n"
                             "print(b's3cret' in open('/proc/self/environ', 'rb').read())")[1])
    assert printed == "None x\nFalse\n"
    parent = front.run("open(f'/proc/{os.getppid()}/environ', 'rb').read()")[0].content
    assert parent["ename"] == "PermissionError"


# ---- what stays usable ------------------------------------------------------------------------------

def test_tools_for_the_first_cell(start_kernel, place, shell):
    put(place[0] / ".config/safepyrun/policy.toml", '[setup]\nfiles = ["tools.py"]\n[extra_globals]\nrate = 2\n')
    put(place[0] / ".config/safepyrun/tools.py", "def double(n):\n    return 2 * n\n")
    assert text(start_kernel(shell=shell).frontend().run("print(double(rate))")[1]) == "4\n"


def test_a_tool_of_a_kernel_has_its_rights(start_kernel, place, shell):
    """With all that a kernel's guard has around it: handlers of signals, an event loop, streams."""
    put(place[0] / ".config/safepyrun/policy.toml", 'os_ring = "off"\n[setup]\nfiles = ["tools.py"]\n')
    put(place[0] / ".config/safepyrun/tools.py", "import subprocess\nfrom safepyrun import allow\n\n@allow\ndef echo(text):\n"
        "    return subprocess.run(['echo', text], capture_output=True, text=True).stdout\n\n"
        "@allow\nasync def echo_later(text):\n    return echo(text)\n")
    front = start_kernel(shell=shell).frontend()
    assert text(front.run("print(echo('at once'), await echo_later('later'))")[1]) == "at once\n later\n\n"
    assert text(front.run("import asyncio\nprint(*await asyncio.gather(echo_later('a'), echo_later('b')))")[1]) == "a\n b\n\n"


@pytest.mark.parametrize("policy", ["", 'read_roots = ["."]\n'])
def test_libraries_still_find_their_files(start_kernel, policy):
    front = start_kernel(shell="ipython", policy=policy).frontend()
    reply, _ = front.run("import matplotlib.pyplot as plt, pandas as pd\nplt.plot([1, 2]); plt.title('x'); plt.show()\n"
                         "pd.DataFrame({'a': [1]}).describe()", timeout=60)
    assert reply.content["status"] == "ok", reply.content
    reply, _ = front.run("%timeit -n1 -r1 1\nimport zoneinfo, ssl\nzoneinfo.ZoneInfo('Europe/Paris')", timeout=30)
    assert reply.content["status"] == "ok", reply.content


# ---- safepyrun policy -------------------------------------------------------------------------------

def ask(*arguments, home, cwd=None, **environment):
    return subprocess.run([PROGRAM, "policy", *map(str, arguments)], cwd=cwd or home, capture_output=True, text=True,
                          env=clean_environment(home) | environment, timeout=10)


def test_check(tmp_path):
    right = put(tmp_path / "right.toml", "ban_defs = false\n")
    wrong = put(tmp_path / "wrong.toml", "\nban_defs = 0\n")
    put(tmp_path / ".config/safepyrun/policy.toml", "not looked at")
    assert ask("check", right, home=tmp_path).returncode == 0
    answer = ask("check", wrong, home=tmp_path)
    assert answer.returncode == 1 and answer.stdout == ""
    assert str(wrong) in answer.stderr and "line 2" in answer.stderr and "ban_defs must be true or false" in answer.stderr
    assert ask("check", tmp_path / "none.toml", home=tmp_path).returncode == 1
    assert ask("check", home=tmp_path).returncode == 2


def test_check_names_every_mistake(tmp_path):
    wrong = put(tmp_path / "wrong.toml", "preset = 'none'\nban_def = 1\n[limits]\ntimeout_seconds = -1\nprocesses = 'x'\n"
                                         "[setup]\nfiles = ['one.py', 'two.py']\n[extra_globals]\n__a = 1\nb = 1\n")
    told = ask("check", wrong, home=tmp_path).stderr.splitlines()
    assert [(line.split(", line ")[0], int(line.split(", line ")[1].split(":")[0])) for line in told] == [
        (f"policy file {wrong}", number) for number in (1, 2, 4, 5, 7, 7, 9)]
    assert "preset must be" in told[0] and "ban_defs may be meant" in told[1] and "one.py" in told[4] and "two.py" in told[5]


def test_check_tells_of_names_that_mean_nothing(tmp_path):
    policy = put(tmp_path / "p.toml", 'ban_builtins = ["opne", "open", "exit", "nowhere"]\nban_imports = ["sockets.x", "socket", "notinstalledhere"]\n'
                                      'allowed_globals = ["nam", "other"]\n[extra_globals]\nname = 1\nother = 2\n')
    answer = ask("check", policy, home=tmp_path)
    assert answer.returncode == 0 and answer.stderr == ""
    assert sorted(answer.stdout.splitlines())[1:] == [f"policy file {policy}: {line}" for line in (
        'allowed_globals: [extra_globals] does not have "nam"; "name" may be meant', 'ban_builtins: there is no built-in name "nowhere"',
        'ban_builtins: there is no built-in name "opne"; "open" may be meant', 'ban_imports: no module here has the name "sockets.x"; "socket" may be meant')]


def test_check_looks_at_setup_files_and_runs_none(tmp_path):
    policy = put(tmp_path / "p.toml", '[setup]\nfiles = ["tools.py"]\n')
    tools = put(tmp_path / "tools.py", f"open('{tmp_path}/ran', 'w')\n")
    assert ask("check", policy, home=tmp_path).returncode == 0
    assert not (tmp_path / "ran").exists()
    tools.write_text("def f(:\n")
    answer = ask("check", policy, home=tmp_path)
    assert answer.returncode == 1 and "tools.py, line 1" in answer.stderr


def test_show(tmp_path):
    user = put(tmp_path / ".config/safepyrun/policy.toml", "ban_defs = false\nok_dests = [\"a\"]\n")
    given = put(tmp_path / "given.toml", "ok_dests = [\"b\"]\n[extra_globals]\nday = 2024-05-01\n")
    shown = json.loads(ask("show", "--policy", given, "--json", home=tmp_path).stdout)
    assert shown["ban_defs"] == {"value": False, "from": str(user)}
    assert shown["ok_dests"] == {"value": ["b"], "from": str(given)}
    assert shown["preset"] == {"value": "workspace", "from": "default"}
    assert shown["mode"] == {"value": "restrict", "from": "preset"}
    assert shown["extra_globals"]["value"] == {"day": "2024-05-01"}
    as_text = ask("show", f"--policy={given}", home=tmp_path).stdout
    assert f'ok_dests = ["b"]  # {given}' in as_text


def test_a_projects_file_that_does_not_count_is_named(tmp_path):
    project = put(tmp_path / "project/.safepyrun.toml", "ban_defs = false\n")
    shown = ask("show", home=tmp_path, cwd=project.parent).stdout
    assert f"# left out: {project};" in shown and "ban_defs = true" in shown
    put(tmp_path / ".config/safepyrun/policy.toml", "project_policy = true\n")
    shown = ask("show", home=tmp_path, cwd=project.parent).stdout
    assert "left out" not in shown and f"ban_defs = false  # {project}" in shown


def test_what_is_shown_is_a_policy_file(tmp_path):
    given = put(tmp_path / "given.toml", "[extra_globals]\ntable = {a = 1, b = [1, {c = 'd'}]}\n")
    shown = put(tmp_path / "shown.toml", ask("show", "--policy", given, home=tmp_path).stdout)
    assert ask("check", shown, home=tmp_path).stderr == ""


def test_ones_own_file_may_say_what_only_it_may_say(tmp_path):
    own = put(tmp_path / ".config/safepyrun/policy.toml", "project_policy = true\n")
    assert ask("check", own, home=tmp_path).returncode == 0
    other = put(tmp_path / "policy.toml", "project_policy = true\n")
    said = ask("check", other, home=tmp_path).stderr
    assert "project_policy may stand in your own policy file only, ~/.config/safepyrun/policy.toml" in said


def test_output_that_cannot_be_written_is_an_error(tmp_path):
    for words in ("keys", "show"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "policy", words], env=clean_environment(tmp_path), stdout=full, stderr=subprocess.PIPE, timeout=10)
        assert done.returncode != 0 and b"cannot be written" in done.stderr


def test_a_wrong_file_is_not_shown(tmp_path):
    put(tmp_path / ".config/safepyrun/policy.toml", "preset = 1\n")
    answer = ask("show", home=tmp_path)
    assert answer.returncode == 1 and "preset must be" in answer.stderr and answer.stdout == ""


def test_install_takes_no_wrong_file(tmp_path):
    def install(policy):
        (tmp_path / "policy.toml").write_text(policy)
        return subprocess.run([PROGRAM, "install", "--prefix", tmp_path / "prefix", "--policy", tmp_path / "policy.toml"],
                              env=clean_environment(tmp_path), capture_output=True, text=True, timeout=30)

    done = install("ban_defs = true\nban_def = 1\n")
    assert done.returncode == 1 and done.stdout == ""
    assert f"policy file {tmp_path}/policy.toml, line 2: there is no key ban_def; ban_defs may be meant" in done.stderr
    assert "nothing was installed" in done.stderr and not (tmp_path / "prefix").exists()
    assert install("ban_defs = true\n").returncode == 0 and (tmp_path / "prefix").exists()


@pytest.mark.parametrize("arguments,status,told", [
    ("help", 0, "usage: safepyrun COMMAND"), ("--help", 0, "usage: safepyrun COMMAND"), ("help policy", 0, "usage: safepyrun policy"),
    ("help kernel", 0, "usage: safepyrun kernel"), ("help install", 0, "usage: safepyrun install"), ("help nothing", 2, "no command nothing"),
    ("kernel", 2, "the connection file is missing: -f FILE; Jupyter writes one for each kernel that it starts: jupyter console --kernel safepyrun\n"
     "Try `safepyrun kernel --help`"),
    ("kernel --bogus x", 2, "the connection file is missing: -f FILE; not known here: --bogus x; Jupyter writes one"),
])
def test_the_command_line_answers(tmp_path, arguments, status, told):
    done = subprocess.run([PROGRAM, *arguments.split()], env=clean_environment(tmp_path), capture_output=True, text=True,
                          timeout=30, cwd=tmp_path)
    assert done.returncode == status and told in (done.stderr if status else done.stdout)


def test_keys_are_the_table_of_the_readme(tmp_path):
    table = ask("keys", home=tmp_path).stdout
    assert "`ok_dests`" in table and "`env.pass`" in table
    assert table in (PROJECT / "docs" / "policy.md").read_text()


@pytest.mark.parametrize("arguments", [[], ["dance"], ["show", "--policy"], ["keys", "x"], ["check", "a", "b"]])
def test_arguments_that_make_no_sense(tmp_path, arguments):
    answer = ask(*arguments, home=tmp_path)
    assert answer.returncode == 2 and "usage" in answer.stderr


def test_help(tmp_path):
    for words in ([], ["check"], ["show"], ["keys"]):
        assert "safepyrun policy check FILE" in ask(*words, "--help", home=tmp_path).stdout


def test_the_man_page_has_every_key():
    keys = subprocess.run([PROGRAM, "policy", "keys"], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    page = (PROGRAM.parents[1] / "docs" / "safepyrun-policy.5").read_text()
    names = [line.split("`")[1].replace("-", "\\-") for line in keys]
    assert len(names) > 20 and all(f"\n.B {name}\n" in page for name in names)
    assert page.count("\n.TP\n.B ") >= len(names) and "@KEYS@" not in page
