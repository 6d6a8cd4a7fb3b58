"""What a frozen copy needs from Python: before the fork, and when it takes over."""

import gc
import sys
from _io import BufferedRandom, BufferedWriter, FileIO, TextIOWrapper

from safepyrun._library import load

_ModuleType = type(sys)
_attributes = object.__getattribute__


def _generator():
    """The generator behind random.random(), unless a cell has put something else there."""
    module = sys.modules.get("random")
    instance = module.__dict__.get("_inst") if type(module) is _ModuleType else None
    kind = type(instance)
    return instance if type(kind) is type and issubclass(kind, load("_random").Random) else None


def _flush(file):
    """What a class of a cell would do with its buffer is not asked for."""
    buffer = file.buffer if type(file) is TextIOWrapper else file
    if type(buffer) in (BufferedWriter, BufferedRandom) and type(buffer.raw) is FileIO:
        file.flush()


def _flush_files():
    for each in gc.get_objects():
        if type(each) in (TextIOWrapper, BufferedWriter, BufferedRandom):
            try:
                _flush(each)
            except (OSError, ValueError):  # closed, or a full disk: its owner will meet it
                pass


def before(appends):
    """State that fork handlers would change. Files that append are flushed: their place is the end."""
    if appends:
        _flush_files()
    generator = _generator()
    if generator is None:
        return None
    state = load("_random").Random.getstate(generator)
    return generator, state, _attributes(generator, "__dict__").get("gauss_next")


def after(saved):
    """`random` seeds itself anew in a child; this child is the same session."""
    if saved is not None:
        generator, state, gauss_next = saved
        load("_random").Random.setstate(generator, state)
        _attributes(generator, "__dict__")["gauss_next"] = gauss_next


def _listed(word, names):
    return f" {word}: {', '.join(sorted(names))};" if names else ""


def effects(before, after):
    """What a trial would have changed: names by identity; In, Out and hidden ones do not count."""
    shown = [{name: value for name, value in names.items()
              if type(name) is str and not name.startswith("_") and name not in ("In", "Out")}
             for names in (before, after)]
    old, new = shown
    words = (_listed("new", new.keys() - old.keys())
             + _listed("changed", [name for name in new.keys() & old.keys() if new[name] is not old[name]])
             + _listed("gone", old.keys() - new.keys()))
    return f"[trial:{words or ' no names bound;'} all of it is forgotten, files that were written stay]\n"
