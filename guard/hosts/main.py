"""The guard process in a Python that safepyrun-guard does not embed: python -P main.py --link-fd N."""

import os
import sys


def main(arguments):
    options = dict(zip(arguments[::2], arguments[1::2]))
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from safepyrun import _guard
    del sys.path[0]
    sys.argv = [""]
    _guard.serve(int(options["--link-fd"]))


main(sys.argv[1:])
