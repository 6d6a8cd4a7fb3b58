"""A guard that speaks the link by itself, and says what no guard of ours would."""

import sys
from pathlib import Path

_SUPPORT = Path(__file__).resolve().parents[2] / "support"
_START = """#!{python} -P
import json, socket, struct, sys
sys.path.insert(0, {support!r})
from guard_client import HEADER, MAGIC, NUMBER

link = socket.socket(fileno=int(sys.argv[sys.argv.index("--link-fd") + 1]))
link.setblocking(True)

def send(name, cell, *parts):
    link.sendall(HEADER.pack(MAGIC, NUMBER[name], len(parts), cell)
                 + b"".join(struct.pack("=I", len(part)) for part in parts) + b"".join(parts))

def receive():
    _, kind, count, cell = HEADER.unpack(link.recv(HEADER.size, socket.MSG_WAITALL))
    sizes = struct.unpack(f"={{count}}I", link.recv(4 * count, socket.MSG_WAITALL)) if count else ()
    return kind, cell, [link.recv(size, socket.MSG_WAITALL) if size else b"" for size in sizes]

receive()
send("READY", 0, json.dumps({ready!r}).encode(), b"{{}}")
"""


def write(path, ready, body):
    """Such a program, to be started as the kernel's --python: it answers CONFIGURE with READY, then runs `body`, a text."""
    path.write_text(_START.format(python=sys.executable, support=str(_SUPPORT), ready={"python_version": "3.11", "shell": "ipython", **ready}) + body)
    path.chmod(0o755)
    return path
