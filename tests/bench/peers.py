"""The kernels that are compared: what to install for each, and how its process is started.

Versions are pinned: a table is worth reading only when one can say of what. One virtual environment
each, all of the same Python, made on first use and kept. What is not here: kernelspecs, which would
measure jupyter_client as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CLIENT = ["pyzmq==27.3.0"]
CHARTS = ["matplotlib==3.11.2"]
IPYTHON = "ipython==9.18.1"


@dataclass(frozen=True)
class Peer:
    name: str
    title: str
    environment: str  # the virtual environment's name; two peers may share one
    requirements: tuple[str, ...]
    arguments: tuple[str, ...]  # {python}, {safepyrun} and {connection_file} are filled in
    ours: bool = False
    wrap: str = "{code}"  # what a cell is put into: where a guard is asked for in the cell
    newer: bool = False  # it needs the guards' Python, 3.12 or newer


def _ours(shell: str, title: str) -> Peer:
    return Peer(
        f"safepyrun-{shell}",
        title,
        "ipython",
        (IPYTHON,),
        (
            "{safepyrun}",
            "kernel",
            "-f",
            "{connection_file}",
            "--python",
            "{python}",
            "--shell",
            shell,
        ),
        True,
    )


#: safepyrun 0.2 is a library: `py` runs a text under its guard, in a kernel that has none.
_PY = "await py({text!r})"

PEERS = (
    _ours("plain", "safepyrun, plain"),
    _ours("ipython", "safepyrun, IPython"),
    Peer(
        "ipykernel",
        "ipykernel 7.4",
        "ipykernel",
        ("ipykernel==7.4.0", IPYTHON),
        ("{python}", "-m", "ipykernel_launcher", "-f", "{connection_file}"),
    ),
    Peer(
        "xeus-python",
        "xeus-python 0.19",
        "xeus-python",
        ("xeus-python==0.19.0", IPYTHON),
        ("{python}", "-m", "xpython_launcher", "-f", "{connection_file}"),
    ),
    Peer(
        "xeus-raw",
        "xeus-python raw",
        "xeus-python",
        ("xeus-python==0.19.0", IPYTHON),
        ("{python}", "-m", "xpython_launcher", "-f", "{connection_file}", "--raw"),
    ),
    Peer(
        "ipymini",
        "ipymini 0.1.25",
        "ipymini",
        ("ipymini==0.1.25", IPYTHON),
        ("{python}", "-Xfrozen_modules=off", "-m", "ipymini", "-f", "{connection_file}"),
    ),
    Peer(
        "ipykernel-safepyrun",
        "safepyrun 0.2.10 in ipykernel",
        "ipykernel-safepyrun",
        ("ipykernel==7.4.0", IPYTHON, "safepyrun==0.2.10", "fastaudit==0.2.10"),
        (
            "{python}",
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--IPKernelApp.exec_lines=from safepyrun import RunPython; py = RunPython()",
        ),
        wrap=_PY,
        newer=True,
    ),
)


def default_python() -> str:
    """The distribution's Python, which the guard is linked with; else the one that runs this."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable


def environment(
    folder: Path, name: str, requirements: tuple[str, ...] | list[str], python: str
) -> Path:
    """The interpreter of a virtual environment with these packages; made again when they change."""
    made = folder / name
    stamp = made / "requirements.json"
    wanted = json.dumps([python, *requirements])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {', '.join(requirements)}", file=sys.stderr)
        subprocess.run([python, "-m", "venv", "--clear", str(made)], check=True)
        subprocess.run(
            [
                str(made / "bin/python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *requirements,
            ],
            check=True,
        )
        stamp.write_text(wanted)
    return made / "bin/python"


def command(peer: Peer, python: Path, safepyrun: Path) -> list[str]:
    """The argv; {connection_file} is left for the Kernel."""
    return [
        part.format(python=python, safepyrun=safepyrun, connection_file="{connection_file}")
        for part in peer.arguments
    ]


def versions(peer: Peer, python: Path, safepyrun: Path) -> dict[str, str]:
    """What really is installed, as the environment itself tells it."""
    names = [
        requirement.split("=")[0].split(">")[0]
        for requirement in peer.requirements
        if "==" in requirement
    ]
    tell = (
        "import importlib.metadata as m, json, platform, sys; "
        "print(json.dumps({'python': platform.python_version()} "
        "| {name: m.version(name) for name in sys.argv[1:]}))"
    )
    found = json.loads(
        subprocess.run([str(python), "-c", tell, *names], check=True, capture_output=True).stdout
    )
    if peer.ours:
        told = subprocess.run(
            [str(safepyrun), "--version"], capture_output=True, text=True, check=True
        ).stdout
        found["safepyrun-kernel"] = told.split()[-1] if told.split() else "unknown"
    return found


def clean_environment(home: Path) -> dict[str, str]:
    """What each kernel gets: a home of its own, so that nobody's profile or history is measured."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ
    }
    return kept | {"HOME": str(home), "JPY_PARENT_PID": str(os.getpid())}
