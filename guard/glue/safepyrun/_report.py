"""The text of `%guard`: what the guard is, what it allows, what it has refused.

Only words; the facts are copies that the C code hands out, and nothing here changes any of them.
"""

import sys
import time

from safepyrun import _guard
from safepyrun._refusal import names_policy_file

_LIST_MAX = 20  # refusals that %guard log shows
_COLUMNS = 90


_RINGS = {"active": "active", "partial": "active, but not all of it", "missing": "missing: this system does not give it",
          "off": "off: os_ring = \"off\" in the policy"}


def _os_ring(state):
    """One line, and one more for each part of which there is something to say."""
    parts = state["os_ring_parts"] if state["os_ring"] != "off" else []
    return [f"OS ring           {_RINGS[state['os_ring']]}",
            *(f"  {name:15} {part}{': ' if why else ''}{why}" for name, part, why in parts)]


def _status():
    state = _guard.status()
    ring = "active" if state["interpreter_ring"] else "off: the preset \"open\" lets everything pass"
    return [f"safepyrun {state['version']}",
            f"interpreter ring  {ring}",
            *_os_ring(state),
            f"host              {_HOSTS[state['host']]}",
            f"preset            {state['preset']}",
            f"policy file       {state['policy_file'] or 'none; yours would be ' + state['policy_place']}",
            f"refusals so far   {state['denial_count']}",
            *_granted("let pass          ")]


def _granted(prefix):
    """What a person has let pass until the session ends (on_deny = "ask")."""
    return [f"{prefix}{what} {path!r}" for _, _, what, path in _guard.grants()]


_HOSTS = {"embedded": "embedded (safepyrun-guard with a Python of its own)",
          "module": "module (loaded by the Python of this environment)"}


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    return _list([f'"{item}"' for item in value])


def _list(items):
    """On one line, or, where that is too long, on several."""
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) > _COLUMNS:
            lines.append(line.rstrip())
            line = ""
        line += item + ", "
    lines.append(line[:-2])
    return f"[{lines[0]}]" if len(lines) == 1 else "[\n    " + "\n    ".join(lines) + "\n]"


def _policy():
    values = _guard.policy()
    width = max(map(len, values))
    return ["# what is in force, with the names that a policy file has for it; a cell cannot change it",
            *(f"{name:{width}} = {_value(value)}" for name, value in values.items()),
            *_tools(),
            *_granted("# a person has let pass for this session: ")]


def _outside_names():
    module = sys.modules.get("safepyrun._outside")
    return module.names().splitlines() if module else []


def _tools():
    names = list(dict.fromkeys(_guard.tool_names())) + [f"{name} (outside)" for name in _outside_names()]
    return ["# registered with allow(): they may do what cells may not", "tools = " + _list(names)] if names else []


def _where(denial):
    count = denial["execution_count"]
    return f"In [{count}]" if count else "late"


def _log():
    total = _guard.status()["denial_count"]
    if not total:
        return ["Nothing was refused in this session."]
    shown = _guard.denials()[-_LIST_MAX:]
    lines = [f"{total} refused in this session" + (f", the last {len(shown)}:" if total > len(shown) else ":")]
    for denial in shown:
        clock = time.strftime("%H:%M:%S", time.localtime(denial["time"]))
        subject = f"  {denial['subject']}" if denial["subject"] else ""
        lines.append(f"{clock}  {_where(denial):9} {denial['event']}{subject}  ({denial['rule']})")
    return lines


def _why():
    denials = _guard.denials()
    if not denials:
        return ["Nothing was refused in this session."]
    denial = denials[-1]
    lines = [f"refused     {denial['what']}",
             f"why         {denial['why']}"]
    if denial["remedy"]:
        lines.append(f"what helps  {denial['remedy']}")
    if names_policy_file(denial):
        lines.append(f"its place   {denial['policy_place']}; it is read when the kernel starts")
    lines.append(f"rule        {denial['rule']}"
                 + (f": {denial['rule_meaning']}" if denial["rule_meaning"] else ""))
    if denial["subject"]:
        lines.append(f"subject     {denial['subject']}")
    lines.append(f"event       {denial['event']}, {_where(denial)}")
    return lines


_REPORTS = {"status": _status, "policy": _policy, "log": _log, "why": _why}

USAGE = ("usage: %guard status | policy | log | why\n"
         "       alone in their cell: %guard reset (back to the start of the session), %rewind [n] (undo n cells)\n"
         "       at the start of a cell: %%trial (run it and forget what it did)")


def report(word):
    """The text for one word; `status` without one."""
    make = _REPORTS.get(word.strip() or "status")
    return "\n".join(make()) if make else USAGE
