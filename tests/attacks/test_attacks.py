"""Every escape that was ever tried: each file below cells/ is run against an armed guard.

The comment at the head of a file says what it tries and where such an escape was seen; its lines
`# key: value` are read here:

    shell    plain (the default), ipython or both
    host     embedded (the default for plain) or module
    policy   lines of a policy file, separated by '; '; the default is only `ban_defs = false`,
             because the fence has to hold without the user-code rules
    needs    a package that the attack is about
    expect   the exception that the last cell ends with; `none`: it ends well; `any`: whatever
    says     part of that exception's text
    prints   what the last cell has to print

Cells are separated by lines `# %%`. They find in their namespace: `outside`, a folder with a file
`victim` that may be read only, and `port`, where somebody listens on 127.0.0.1; where they may define functions also
refused(attempts), which calls each of these and returns how many the guard refused. Whatever the cells
said, afterwards the folder is as it was, nobody has connected, no cell has printed ESCAPED and the
guard still answers.
"""

import importlib.util
import os
import pathlib
import re
import socket
import sys

import pytest
from guard_client import Guard

CELLS = pathlib.Path(__file__).parent / "cells"
DEFAULTS = {"shell": "plain", "host": "", "policy": "ban_defs = false", "needs": "",
            "expect": "PermissionError", "says": "", "prints": ""}
TIMEOUT_SECONDS = 60
REFUSED = """
def refused(attempts):
    count = 0
    for number, attempt in enumerate(attempts):
        try:
            print("ESCAPED", number, attempt())
        except PermissionError as error:
            count += "safepyrun refused to" in str(error)
        except Exception as error:
            print(number, type(error), error)
    return count
"""
#: the interpreter ring has to hold alone; what the OS ring holds is tested in tests/isolation
RING_OFF = 'os_ring = "off"\n'


class Attack:
    def __init__(self, path):
        self.name = str(path.relative_to(CELLS))[:-len(".py")]
        text = path.read_text()
        self.words = dict(DEFAULTS)
        self.words.update(re.findall(rf"^# ({'|'.join(DEFAULTS)}): *(.*)$", text, re.M))
        self.cells = re.split(r"^# %%.*\n", text, flags=re.M)

    @property
    def shells(self):
        return ["plain", "ipython"] if self.words["shell"] == "both" else [self.words["shell"]]


ATTACKS = [Attack(path) for path in sorted(CELLS.rglob("*.py"))]
CASES = [pytest.param(attack, shell, id=f"{attack.name}-{shell}") for attack in ATTACKS for shell in attack.shells]


class Outside:
    """What must not be reached."""

    def __init__(self, directory):
        self.folder = directory / "outside"
        self.folder.mkdir()
        (self.folder / "victim").write_text("as it was\n")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.before = self.look()

    def look(self):
        seen = {}
        for path in [self.folder, *sorted(self.folder.rglob("*"))]:
            status = path.lstat()
            seen[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, status.st_nlink, os.listxattr(path),
                               path.read_bytes() if path.is_file() else None)
        return seen

    def check(self):
        assert self.look() == self.before
        with pytest.raises(BlockingIOError):
            self.listener.accept()


@pytest.fixture
def outside(tmp_path):
    outside = Outside(tmp_path)
    yield outside
    outside.listener.close()


def start(attack, shell, directory):
    work = directory / "work"
    work.mkdir()
    in_module = shell == "ipython" or attack.words["needs"] or attack.words["host"] == "module"
    environment = {"IPYTHONDIR": str(work / "ipython"), "MPLBACKEND": "agg", "HOME": str(work),
                   "MPLCONFIGDIR": str(directory / "matplotlib")}
    return Guard(shell, python=sys.executable if in_module else None, cwd=work, environment=environment,
                 policy_file=attack.words["policy"].replace("; ", "\n") + "\n" + RING_OFF)


def check_last(attack, outcome):
    words = attack.words
    if words["expect"] == "none":
        assert outcome.error is None, outcome.reply
    elif words["expect"] != "any":
        assert outcome.error == words["expect"], (outcome.reply, outcome.stdout, outcome.stderr, outcome.result)
    if words["expect"] == "PermissionError":
        assert "safepyrun refused to" in outcome.reply["evalue"]
    assert words["says"] in outcome.reply.get("evalue", "")
    assert words["prints"] in outcome.stdout


@pytest.mark.parametrize("attack, shell", CASES)
def test_attack(attack, shell, tmp_path, outside):
    if attack.words["needs"] and importlib.util.find_spec(attack.words["needs"]) is None:
        pytest.fail(f"{attack.words['needs']} is not installed")
    with start(attack, shell, tmp_path) as guard:
        guard.execute(f"outside, port = {str(outside.folder)!r}, {outside.port}")
        if "ban_defs = false" in attack.words["policy"]:
            assert guard.execute(REFUSED).error is None
        for cell in attack.cells:
            outcome = guard.execute(cell, TIMEOUT_SECONDS)
            assert "ESCAPED" not in outcome.stdout + str(outcome.result)
        check_last(attack, outcome)
        assert guard.execute("6 * 7").result == "42"
    outside.check()
