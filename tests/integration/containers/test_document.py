"""The manifest of docs/containers.md: its policy is right, and its pod gives nothing away."""

import subprocess

import yaml
from kernel_process import PROGRAM, PROJECT


def manifest():
    text = (PROJECT / "docs/containers.md").read_text()
    return list(yaml.safe_load_all(text.split("```yaml\n")[1].split("```")[0]))


def test_the_policy_is_right(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(manifest()[0]["data"]["policy.toml"])
    checked = subprocess.run([PROGRAM, "policy", "check", policy], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_pod_has_what_it_names():
    settings, pod = manifest()
    container, = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == settings["metadata"]["name"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
