"""Policy files as a guard meets them: order, errors, reading, environment, allow mode, set-up files."""

import json
import os
import pathlib
import sys

import pytest
from guard_client import Guard, GuardDied

HOSTS = {"embedded": None, "module": sys.executable}


@pytest.fixture(params=HOSTS)
def start(request, tmp_path):
    """start(files, …) -> a guard that is ready, in a folder of its own."""
    running = []
    work = tmp_path / "work"
    work.mkdir()

    def start(*files, **options):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        options["environment"] = {"HOME": str(home), **options.get("environment", {})}
        # The embedded Python has no IPython.
        python = sys.executable if options.get("shell") == "ipython" else HOSTS[request.param]
        guard = Guard(python=python, policy_file=list(files), cwd=work, **options)
        running.append(guard)
        return guard.wait_ready()

    start.work, start.home = work, tmp_path / "home"
    yield start
    for guard in running:
        guard.close()


def user(text):
    return "user", "/home/me/policy.toml", text


def project(text):
    return "project", "/work/.safepyrun.toml", text


def argument(text):
    return "argument", "/given.toml", text


def failure(start, *files):
    with pytest.raises(GuardDied) as caught:
        start(*files)
    return str(caught.value)


# ---- order -------------------------------------------------------------------------------------------

def test_a_later_file_wins_key_by_key(start):
    guard = start(user('ban_imports = ["json"]\nban_defs = false\n'), argument('ban_imports = ["csv"]\n'))
    assert guard.execute("import json").error is None
    assert guard.execute("import csv").error == "PermissionError"
    assert guard.execute("def f(): pass").error is None


def test_a_preset_is_where_keys_start_from_whichever_file_names_it(start):
    guard = start(user('ban_defs = false\n'), argument('preset = "read-only"\n'))
    assert guard.execute("def f(): pass").error is None
    assert guard.execute("open('x', 'w')").error == "PermissionError"


@pytest.mark.parametrize("says,counts", [("", False), ("project_policy = false\n", False), ("project_policy = true\n", True)])
def test_the_project_counts_if_the_user_says_so(start, says, counts):
    guard = start(user(says + "ban_defs = true\n"), project("ban_defs = false\n"))
    assert (guard.execute("def f(): pass").error is None) == counts


def test_a_project_cannot_ask_for_itself(start):
    assert guard_runs_def(start(project("project_policy = true\nban_defs = false\n"))) is False


def guard_runs_def(guard):
    return guard.execute("def f(): pass").error is None


# ---- what is wrong is told --------------------------------------------------------------------------

@pytest.mark.parametrize("text,told", [
    ("preset = \"open\"\n\nban_def = 1\n", ["/given.toml, line 3", "ban_def", "ban_defs"]),
    ("ban_defs = 1\n", ["/given.toml, line 1", "ban_defs", "true or false"]),
    ("preset = \"lenient\"\n", ["line 1", "preset", "workspace"]),
    ("mode = \"maybe\"\n", ["line 1", "mode", "allow"]),
    ("[env]\npass = \"A\"\n", ["line 2", "env.pass", "list"]),
    ("[env]\nkeep = []\n", ["line 2", "env.keep"]),
    ("env = 1\n", ["env", "table"]),
    ("\"env.pass\" = []\n", ["no key"]),
    ("[extra_globals]\n\"a b\" = 1\n", ["extra_globals", "a b", "name"]),
    ("[extra_globals]\n__builtins__ = 1\n", ["extra_globals", "__builtins__"]),
    ("extra_globals = 1\n", ["extra_globals", "table"]),
    ("project_policy = true\n", ["project_policy", "your own policy file only"]),
    ("a = \n", ["/given.toml", "line 1"]),
    ("protect = [\"a/b\"]\n", ["line 1", "protect", "names"]),
    ("deny_read = [\"a\", \"!\"]\n", ["line 1", "deny_read", "entry 2"]),
    ("preset = \"wrkspace\"\n", ["line 1", "preset must be one of", "not 'wrkspace'"]),
    ("[setup]\nfiles = [\n  \"missing.py\"\n]\n", ["/given.toml, line 3", "setup.files", "/missing.py", "No such file"]),
    # in arrays, the entry
    ("ban_imports = [\n    \"json\",  # one\n    3,\n]\n", ["line 3", "ban_imports", "entry 2"]),
    ("ok_dests = [\".\", \"\"]\n", ["line 1", "ok_dests", "entry 2"]),
    ("protect = [\n\"a\",\n\"b/c\"]\n", ["line 3", "protect", "entry 2"]),
    ("[env]\n\npass = [[\"A\"]]\n", ["line 3", "env.pass", "entry 1"]),
    # what only looks like the key: in an array, a long string, another table, a comment
    ("ban_imports = [\n\"mode\",\n]\n# mode = 1\nmode = 1\n", ["line 5", "mode must"]),
    ("[extra_globals]\nx = \"\"\"\nban_defs = 1\n\"\"\"\nban_defs = 2\n[setup]\nfile = []\n", ["line 7", "setup.file"]),
    # dotted keys, quoted keys, tables in braces
    ("mode = \"allow\"\nenv . pass = 1\n", ["line 2", "env.pass"]),
    ("\n'ban_defs' = 1\n", ["line 2", "ban_defs"]),
    ("\nenv = { pass = [], hide = 1 }\n", ["line 2", "env.hide"]),
    ("limits = { timeout_seconds = \"1\" }\n", ["line 1", "limits.timeout_seconds"]),
    ("\n[limits]\ntimeout_seconds = -1\n", ["line 3", "limits.timeout_seconds", "number"]),
    ("[limits]\ntimeout_seconds = 1.5\n", ["line 2", "limits.timeout_seconds"]),
    ("[limits]\ntimeout_seconds = 99999999999999999999\n", ["line 2", "limits.timeout_seconds"]),
    ("on_deny = true\n", ["line 1", "on_deny", "\"error\" or \"ask\""]),
    ("\nask_seconds = 0\n", ["line 2", "ask_seconds", "from 1 to 3600"]),
    ("[ban_defs]\nx = 1\n", ["line 1", "ban_defs", "true or false"]),
    ("[[env]]\npass = []\n", ["line 1", "env must be a table"]),
    ("[network]\nallow = ['a:80', 'b:65536']\n", ["line 2", "network.allow must be a list", "entry 2 is not one"]),
    # entries that can mean nothing
    ("ban_imports = [\"json\", \"!importlib\"]\n", ["line 1", "ban_imports must be a list of module names", "entry 2 is not one"]),
    ("ban_imports = [\n'a b',\n]\n", ["line 2", "ban_imports", "entry 1"]),
    ("mode = 'allow'\nallowed_imports = ['a.', 'b']\n", ["line 2", "allowed_imports", "entry 1"]),
    ("ban_builtins = ['open()']\n", ["line 1", "ban_builtins must be a list of names", "entry 1"]),
    ("[warm]\nimports = ['scikit-learn']\n", ["line 2", "warm.imports", "entry 1"]),
    ("[env]\npass = ['A*', 'A*B']\n", ["line 2", "env.pass", "entry 2"]),
    ("[env]\nhide = ['A=b']\n", ["line 2", "env.hide", "entry 1"]),
    ("ok_dests = ['.', '~nobody/x']\n", ["line 1", "ok_dests", "entry 2"]),
    ("[extra_globals]\nclass = 1\n", ["line 2", "\"class\" in [extra_globals] must be a name for a variable"]),
    ("[env.pass]\nx = 1\n", ["line 1", "env.pass must be a list"]),
    # TOML itself
    ("ban_defs = true\n\nx = [1,\n", ["line 4", "not TOML"]),
    ("a = 1\na = 2\n", ["line 2", "not TOML"]),
    ("[env]\npass = []\n[env]\n", ["line 3", "not TOML"]),
])
def test_errors(start, text, told):
    message = failure(start, argument(text))
    for words in told:
        assert words in message, message


@pytest.mark.parametrize("written,meant", [
    ("bandefs", "ban_defs"), ("ban-defs", "ban_defs"), ("BAN_DEFS", "ban_defs"), ("ok_dest", "ok_dests"), ("okdests", "ok_dests"),
    ("denyread", "deny_read"), ("read_root", "read_roots"), ("presets", "preset"), ("ondeny", "on_deny"), ("pass", "env.pass"),
    ("timeout_second", "limits.timeout_seconds"), ("timeout", "limits.timeout_seconds"), ("limit", "[limits]"), ("envs", "[env]"),
    ("allowed_import", "allowed_imports"), ("extra_global", "extra_globals"), ("env.passes", "env.pass"), ("setup.file", "setup.files"),
])
def test_the_nearest_key_is_named(start, written, meant):
    message = failure(start, argument(f"{written} = 1\n"))
    assert message.endswith(f"policy file /given.toml, line 1: there is no key {written}; {meant} may be meant"), message


def test_what_is_near_no_key(start):
    assert "there is no key quux; `safepyrun policy keys` lists them" in failure(start, argument("quux = 1\n"))


def test_a_file_that_cannot_be_read_is_not_skipped(start):
    message = failure(start, (*user(""), "cannot be read: Permission denied"))
    assert "/home/me/policy.toml" in message and "Permission denied" in message


def test_a_wrong_file_of_the_user_counts_though_a_later_one_is_right(start):
    assert "ban_defs" in failure(start, user("ban_defs = 3\n"), argument("ban_defs = true\n"))


# ---- reading ----------------------------------------------------------------------------------------

def test_usual_secrets_are_not_read(start):
    guard = start()
    (start.home / ".ssh").mkdir()
    (start.home / ".ssh/id_rsa").write_text("key")
    (start.home / ".netrc").write_text("password")
    (start.home / "notes").write_text("read me")
    (start.work / "link").symlink_to(start.home / ".ssh/id_rsa")
    (start.work / "folder").symlink_to(start.home)
    for path in ("~/.ssh/id_rsa", "~/.netrc", "link", "folder/.netrc", "~/../home/.ssh/id_rsa"):
        outcome = guard.execute(f"import os\nopen(os.path.expanduser({path!r})).read()")
        assert outcome.error == "PermissionError", path
        assert "open for reading" in outcome.reply["evalue"] and "deny_read" in outcome.reply["evalue"]
    assert guard.execute("os.listdir(os.path.expanduser('~/.ssh'))").error == "PermissionError"
    assert guard.execute("fd = os.open(os.path.expanduser('~/.ssh'), os.O_RDONLY)").error == "PermissionError"
    assert guard.execute("open(os.path.expanduser('~/notes')).read()").result == "'read me'"
    assert guard.execute("open('folder/notes').read()").result == "'read me'"


def test_one_path_more_does_not_give_the_others_away(start):
    guard = start(user('deny_read = ["private"]\nprotect = ["vault"]\n'), argument('deny_read = ["!~/.netrc", "other"]\n'))
    (start.home / ".ssh").mkdir()
    for path in (start.home / ".ssh/id_rsa", start.home / ".netrc", start.work / "private", start.work / "other"):
        path.write_text("text")
    for path, error in (("~/.ssh/id_rsa", "PermissionError"), ("private", "PermissionError"), ("other", "PermissionError"),
                        ("~/.netrc", None)):
        assert guard.execute(f"import os\nopen(os.path.expanduser({path!r})).read()").error == error, path
    for name in (".git", "vault"):
        assert guard.execute(f"os.mkdir({name!r})").error == "PermissionError"


@pytest.mark.parametrize("roots", ['["~"]', '"any"'])
def test_secrets_are_not_moved_to_where_they_can_be_read(start, roots):
    guard = start(argument(f"ok_dests = {roots}\n"))
    (start.home / ".config/gh").mkdir(parents=True)
    (start.home / ".netrc").write_text("password")
    guard.execute("import os, shutil\nos.chdir(os.path.expanduser('~'))")
    for code in ("os.rename('.netrc', 'x')", "os.link('.netrc', 'x')", "os.replace('.netrc', 'x')",
                 "os.rename('.config', 'x')", "shutil.move('.config/gh', 'x')", "shutil.copy('.netrc', 'x')"):
        assert guard.execute(code).error == "PermissionError", code
    assert guard.execute("open('y', 'w').close(); os.rename('y', 'z'); os.symlink('.netrc', 'x')").error is None
    assert guard.execute("open('x')").error == "PermissionError"


def test_a_link_made_after_a_quick_yes(start):
    guard = start()
    (start.home / ".netrc").write_text("password")
    assert guard.execute("open('a', 'w').write('x'); open('a').read()").result == "'x'"
    assert guard.execute("import os\nos.symlink(os.path.expanduser('~/.netrc'), 'b')\nopen('b').read()").error == "PermissionError"


def test_read_roots(start, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "x.csv").write_text("1,2")
    (tmp_path / "other").write_text("no")
    guard = start(argument(f'read_roots = ["{data}"]\n'))
    assert guard.execute(f"open('{data}/x.csv').read()").result == "'1,2'"
    outcome = guard.execute(f"open('{tmp_path}/other').read()")
    assert outcome.error == "PermissionError" and "read_roots" in outcome.reply["evalue"]
    assert guard.execute("open('/etc/passwd')").error == "PermissionError"
    assert guard.execute("open('mine', 'w').write('x'); open('mine').read()").result == "'x'"
    assert guard.execute("import csv, zoneinfo, decimal, email.message, xml.dom.minidom\n"
                         "zoneinfo.ZoneInfo('Europe/Berlin').key").result == "'Europe/Berlin'"


# ---- environment ------------------------------------------------------------------------------------

SECRETS = {"MY_API_TOKEN": "t0ps3cret", "DB_URL": "postgres://me:t0ps3cret@db/x", "AWS_SECRET_ACCESS_KEY": "t0ps3cret"}


def test_secrets_of_the_environment_are_not_there(start):
    guard = start(environment={**SECRETS, "MY_SETTING": "seen"})
    code = ("import os, posix\n"
            "print(sorted(set(os.environ) & {names}))\n"
            "print([k for k in posix.environ if b'TOKEN' in k], os.getenv('MY_API_TOKEN'))\n"
            "print(b't0ps3cret' in open('/proc/self/environ', 'rb').read(), os.environ['MY_SETTING'])\n")
    assert guard.execute(code.replace("{names}", repr(set(SECRETS)))).stdout == "[]\n[] None\nFalse seen\n"
    block = pathlib.Path(f"/proc/{guard.process.pid}/environ").read_bytes()
    assert b"t0ps3cret" not in block and b"MY_API_TOKEN" not in block and b"MY_SETTING=seen" in block


def test_pass_and_hide(start):
    guard = start(argument('[env]\npass = ["MY_API_*"]\nhide = ["MY_SETTING"]\n'),
                  environment={**SECRETS, "MY_SETTING": "seen"})
    assert guard.execute("import os\nos.environ['MY_API_TOKEN'], 'MY_SETTING' in os.environ, 'DB_URL' in os.environ").result \
        == "('t0ps3cret', False, False)"


@pytest.mark.parametrize("code, told", [
    ("os.environ['MY_API_TOKEN']", True),
    ("os.environ['NO_SUCH_TOKEN']", True),         # whether there is one is not told
    ("os.environ['MY_SETTING']", True),
    ("os.environ['PASSED_TOKEN']", False),
    ("os.environ['NO_SUCH_SETTING']", False),
    ("{}['MY_API_TOKEN']", False),
    ("raise KeyError('MY_API_TOKEN', 1)", False),
    ("os.environ['\\udc80TOKEN']", False),
])
def test_a_variable_that_cells_do_not_see_is_not_just_missing(start, code, told):
    guard = start(argument('[env]\npass = ["PASSED_*"]\nhide = ["MY_SETTING"]\n'),
                  environment={**SECRETS, "MY_SETTING": "seen"})
    outcome = guard.execute(f"import os\n{code}")
    assert outcome.error == "KeyError" and ("env.pass" in outcome.reply["evalue"]) == told, outcome.reply


def test_open_hides_nothing_by_itself(start):
    guard = start(argument('preset = "open"\n'), environment=SECRETS)
    assert guard.execute("import os\nos.environ['MY_API_TOKEN']").result == "'t0ps3cret'"


def test_other_processes_keep_theirs(start):
    guard = start()
    assert guard.execute(f"open('/proc/{os.getpid()}/environ', 'rb').read()").error == "PermissionError"


# ---- allow mode -------------------------------------------------------------------------------------

ALLOW = 'mode = "allow"\nallowed_imports = ["json", "os.path"]\nallowed_builtins = ["print", "len"]\nallowed_globals = ["rate"]\n'


@pytest.mark.parametrize("code,error", [
    ("import json\nprint(json.dumps([1]))", None),
    ("from json import decoder", None),
    ("from os import path", None),
    ("import os.path as p", None),
    ("import os.path", "PermissionError"),
    ("import os", "PermissionError"),
    ("from os import remove", "PermissionError"),
    ("import importlib", "PermissionError"),
    ("max(1, 2)", "PermissionError"),
    ("max = 3", None),
    ("print(len('abc'))", None),
    ("[x for x in [1]]", None),
    ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    print(1)", None),
    ("print.__self__", "PermissionError"),
    ("().__class__", "PermissionError"),
    ("print(__name__)", None),
    ("__builtins__", "PermissionError"),
    ("unknown", "NameError"),
])
def test_allow_mode(start, code, error):
    guard = start(argument(ALLOW))
    assert guard.execute(code).error == error


def test_refusals_of_allow_mode_say_what_to_do(start):
    guard = start(argument(ALLOW))
    assert "allowed_imports" in guard.execute("import os").reply["evalue"]
    assert "allowed_builtins" in guard.execute("sum([1])").reply["evalue"]


def test_importlib_is_blocked_though_listed(start):
    guard = start(argument('mode = "allow"\nallowed_imports = ["importlib"]\n'))
    assert guard.execute("import importlib.util").error == "PermissionError"
    guard = start(argument("ban_imports = []\n"))
    assert guard.execute("from importlib import import_module").error == "PermissionError"


@pytest.mark.parametrize("shell", ["plain", "ipython"])
def test_strict_computes(start, shell):
    guard = start(argument('preset = "strict"\n'), shell=shell)
    assert guard.execute("import math, json, statistics\nprint(sum(sorted([2, 1])), math.pi > 3)").stdout == "3 True\n"
    assert guard.execute("f'{max(1, 2)}'").result == "'2'"
    for code in ("import os", "import subprocess", "getattr(print, 'x')", "open('x', 'w')", "eval('1')"):
        assert guard.execute(code).error == "PermissionError", code


# ---- names for the first cell -----------------------------------------------------------------------

GLOBALS = "[extra_globals]\nrate = 1.5\nnames = [\"a\", \"b\"]\nsettings = { deep = { on = true } }\nday = 2024-05-01\n"


@pytest.mark.parametrize("shell", ["plain", "ipython"])
def test_extra_globals(start, shell):
    guard = start(argument(GLOBALS), shell=shell)
    assert guard.execute("rate, names, settings['deep']['on'], day.year").result == "(1.5, ['a', 'b'], True, 2024)"


def test_extra_globals_add_up_and_allow_mode_filters(start):
    guard = start(user("[extra_globals]\nrate = 1\nother = 2\n"), argument(ALLOW + "[extra_globals]\nrate = 3\n"))
    assert guard.execute("rate").result == "3"
    assert guard.execute("other").error == "NameError"


TOOLS = '''"""Tools that the user trusts."""
import os as _os, json
from math import sqrt
__private = 1
LIMIT = 3

class Box:
    def __init__(self, value): self.value = value

def compile_and_run(text):
    return eval(compile(text, "<tool>", "eval"))

def delete(path):
    _os.remove(path)
'''


@pytest.fixture
def tools(start):
    folder = start.work / "policy"
    folder.mkdir()
    (folder / "tools.py").write_text(TOOLS)
    return "argument", str(folder / "policy.toml"), '[setup]\nfiles = ["tools.py"]\n'


@pytest.mark.parametrize("shell", ["plain", "ipython"])
def test_setup_files(start, tools, shell):
    guard = start(tools, shell=shell)
    assert guard.execute("LIMIT, Box(2).value, sqrt(4), 'json' in globals()").result == "(3, 2, 2.0, False)"
    assert guard.execute("compile_and_run('1 + 1')").result == "2"
    assert guard.execute("eval('1')").error == "PermissionError"
    assert guard.execute("delete('/etc/hostname')").error == "PermissionError"
    assert guard.execute("import tools\ntools.LIMIT").result == "3"


def test_setup_files_are_not_a_cells_to_change(start, tools):
    guard = start(tools)
    for code in ("open('policy/tools.py', 'a')", "open('policy/policy.toml', 'w')",
                 "import os; os.remove('policy/tools.py')", "import os; os.rename('policy', 'other')",
                 "import os; os.symlink('/tmp', 'new'); os.replace('new', 'policy/tools.py')"):
        assert guard.execute(code).error == "PermissionError", code
    assert guard.execute("open('policy/notes.txt', 'w').write('x')").error is None


@pytest.mark.parametrize("text,told", [
    ("x = 1\n1 / 0\n", ["tools.py, line 2", "ZeroDivisionError"]),
    ("def f(:\n", ["tools.py, line 1", "SyntaxError"]),
    ("import no_such_module_here\n", ["line 1", "ModuleNotFoundError"]),
    ("__all__ = ['gone']\n", ["AttributeError", "gone"]),
    ("def f():\n    raise SystemExit(3)\nf()\n", ["line 2", "SystemExit"]),
])
def test_an_error_in_a_setup_file_stops_the_session(start, tools, text, told):
    (start.work / "policy/tools.py").write_text(text)
    message = failure(start, tools)
    for words in told:
        assert words in message, message


def test_a_setup_file_is_no_other_module(start, tools):
    (start.work / "policy/json.py").write_text("dumps = 1\n")
    assert "rename it" in failure(start, (*tools[:2], '[setup]\nfiles = ["json.py"]\n'))
    (start.work / "policy/my tools.py").write_text("x = 1\n")
    assert "its name" in failure(start, (*tools[:2], '[setup]\nfiles = ["my tools.py"]\n'))


def test_names_of_setup_files(start, tools):
    (start.work / "policy/tools.py").write_text("__all__ = ['_listed']\n_listed = 1\nother = 2\n")
    guard = start(tools)
    assert guard.execute("_listed, 'other' in globals()").result == "(1, False)"


def test_what_a_setup_file_prints_disturbs_nothing(start, tools):
    (start.work / "policy/tools.py").write_text("print('loading')\nimport sys; print('!', file=sys.stderr)\nx = 1\n")
    guard = start(tools)
    assert guard.execute("print(x)").stdout == "1\n"
    assert "loading" in guard.pipe_text() or b"loading" in b"".join(guard.pipes.values())


def test_ready_is_unchanged_by_an_empty_file(start):
    assert json.dumps(start(argument("")).ready)
