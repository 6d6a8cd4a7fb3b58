"""The sandbox of seed 004: a hook of ten lines in Python, around the cells that come on standard input as JSON."""

import json
import sys

cells = json.load(sys.stdin)
WRITE_LOCK = True


def block_mischief(event, arguments):
    if "WRITE_LOCK" in globals() and (event == "open" and arguments[1] is not None and arguments[1] != "r" and arguments[1] != "rb"
                                      or event in ("os.system", "os.remove", "os.rename", "subprocess.Popen")):
        raise IOError("file write forbidden")


sys.addaudithook(block_mischief)
for cell in cells:
    exec(cell, globals())
