"""The threads of subshells, as cells see them in `threading`; guard/python/subshell.c is what runs in them."""

import sys
import time

from safepyrun._library import load

_threads = {}


def prepare():
    load("threading")


def settle():
    pass


def start(number, serve):
    threading = sys.modules["threading"]  # loaded by the main thread, which it takes for the main one
    thread = threading.Thread(target=serve, name=f"Subshell-{number}", daemon=True)
    _threads[number] = thread
    thread.start()


def join(number):
    # Not thread.join(): that would enter the thread which waits here among those that cells see.
    thread = _threads.pop(number)
    while thread.is_alive():
        time.sleep(0.001)
