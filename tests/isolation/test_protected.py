"""What stays read-only inside a write root, against who changes the way to it: the next session would read what a cell wrote."""

import json
import os

import pytest
from guard_client import Guard
from world import STATUS

POLICY = 'preset = "{preset}"\nban_defs = false\nok_dests = ["{root}"]\n'
#: each ends with another policy where the file was, if nobody holds it
ATTACKS = {
    "the file": "os.unlink('.config/safepyrun/policy.toml')",
    "its folder": "os.rename('.config/safepyrun', 'moved')",
    "the folder above": "os.rename('.config', 'moved')",
    "a link above": "os.unlink('.config')",
    "where the links lead": "os.rename('dot', 'moved')",
}
REPLACE = """import os
try:
    {attack}
except OSError:
    pass
try:
    for folder in ('dot/safepyrun', '.config/safepyrun'):
        os.makedirs(folder, exist_ok=True)
        with open(folder + '/policy.toml', 'w') as file:
            file.write('forged')
except OSError:
    pass
"""


def lay_out(root, layout):
    """As people keep their settings: there, or in a folder of their own with links to it."""
    real = root / ("dot" if layout != "plain" else ".config") / "safepyrun"
    real.mkdir(parents=True)
    if layout == "linked folder":
        (root / ".config").symlink_to("dot")
    elif layout == "linked file":
        (root / ".config/safepyrun").mkdir(parents=True)
        (root / ".config/safepyrun/policy.toml").symlink_to("../../dot/safepyrun/policy.toml")
    return root / ".config/safepyrun/policy.toml"


@pytest.mark.parametrize("layout", ["plain", "linked folder", "linked file"])
@pytest.mark.parametrize("preset", ["workspace", "open"])
def test_no_way_to_a_policy_file_can_be_changed(preset, layout, tmp_path):
    file = lay_out(tmp_path, layout)
    text = POLICY.format(preset=preset, root=tmp_path)
    file.write_text(text)
    with Guard(policy_file=[("user", str(file), text)], cwd=tmp_path) as guard:
        for attack in ATTACKS.values():
            assert guard.execute(REPLACE.format(attack=attack)).error is None
            assert file.read_text() == text, attack
        assert guard.execute("open('.config/own', 'w').write('x')").error is None


@pytest.mark.parametrize("target", ["nowhere", ".hg", "own"])
def test_a_link_in_a_protected_place_breaks_no_view(target, tmp_path):
    """An earlier cell may have left it."""
    (tmp_path / "own").mkdir()
    (tmp_path / ".hg").symlink_to(target)
    with Guard(policy_file='preset = "open"\n', cwd=tmp_path) as guard:
        parts = json.loads(guard.execute(STATUS).stdout)["os_ring_parts"]
        assert {name: state for name, state, _ in parts}["mount_view"] == "active"
        assert guard.execute("import os\nos.rename('.hg', 'moved')").error == "OSError"
    assert os.readlink(tmp_path / ".hg") == target


@pytest.mark.parametrize("preset", ["workspace", "open"])
def test_a_root_inside_a_root_cannot_be_led_elsewhere(preset, tmp_path):
    """An earlier cell has put a link in its place; a link that no cell can have made is followed."""
    for name in ("home", "data", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "work/out").symlink_to("../home")
    (tmp_path / "linked").symlink_to("data")
    policy = f'preset = "{preset}"\nok_dests = [".", "{tmp_path}/work/out", "{tmp_path}/linked"]\n'
    with Guard(policy_file=policy, cwd=tmp_path / "work") as guard:
        assert guard.execute(f"open('{tmp_path}/home/stolen', 'w')").error in ("PermissionError", "OSError")
        assert guard.execute(f"open('{tmp_path}/linked/own', 'w').close()").error is None
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("preset", ["workspace", "open"])
@pytest.mark.parametrize("attack", ["os.unlink('netrc')", "os.rename('keys', 'moved')", "os.rename('dot', 'moved')"])
def test_no_way_to_a_secret_can_be_changed(preset, attack, tmp_path):
    """The next session would not find it where it looks for it, and let the next cell read it elsewhere."""
    for name in ("dot", "keys"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text("hush!")
    (tmp_path / "netrc").symlink_to("dot/secret")
    policy = f'preset = "{preset}"\ndeny_read = ["{tmp_path}/netrc", "{tmp_path}/keys/secret"]\n'
    with Guard(policy_file=policy, cwd=tmp_path) as guard:
        assert guard.execute("import os\n" + attack).error in ("PermissionError", "OSError")
    assert (tmp_path / "netrc").read_text() == (tmp_path / "keys/secret").read_text() == "hush!"
