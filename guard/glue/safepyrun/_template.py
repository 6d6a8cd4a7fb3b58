"""What a template process imports for the guards that are forked from it, and what each of them makes anew."""

import gc
import importlib
import os
import sys
import time
from _frozen_importlib_external import PathFinder

#: what every guard needs that was started cold as well: safepyrun's own parts, and what they load late
_OWN = ("safepyrun._start", "safepyrun._config", "safepyrun._json", "safepyrun._refusal", "safepyrun._frozen",
        "safepyrun._aside", "tomllib", "json", "linecache", "traceback", "faulthandler", "_ctypes")
_IPYTHON = ("safepyrun._ipython", "safepyrun._comms", "IPython.core.pylabtools", "IPython.core.completer",
            "IPython.core.ultratb")
#: with a module, what it loads at its first use; not matplotlib_inline, which looks for its shell when it is imported
_WITH = {"matplotlib.pyplot": ("matplotlib.backends.backend_agg", "matplotlib.font_manager"),
         "pandas": ("pandas.plotting._matplotlib",) }
_FOLDERS = ("site-packages", "dist-packages")

_rc_file = None


def _is_trusted(entry):
    """Folders of installed packages and the standard library: cells may write to neither."""
    return os.path.basename(entry) in _FOLDERS or entry in _STANDARD


_STANDARD = {entry for entry in (os.path.dirname(os.__file__), os.path.join(os.path.dirname(os.__file__), "lib-dynload"))}


def warm_up(shell, imports):
    """The names that were imported, with commas."""
    path = sys.path[:]
    sys.path[:] = [entry for entry in path if entry and _is_trusted(entry)]
    try:
        done = _load_all(shell, [name for name in imports.split(",") if name])
        if _ipython_is_loaded():
            importlib.import_module("safepyrun._start").prepare(shell)
    finally:
        sys.path[:] = path
    return ",".join(done)


def rehearse():
    from safepyrun import _rehearsal, _start, _start_path
    _rehearsal.rehearse(_start.prepared())
    _start_path.settle()
    _forget_folders()
    _seed()
    gc.collect()
    gc.freeze()  # a guard's collections leave these alone, and with them the pages that all share


def _load_all(shell, names):
    with_ipython = shell != "plain" and PathFinder.find_spec("IPython") is not None
    for name in _OWN + (_IPYTHON if with_ipython else ()):
        _load(name)
    os.environ.setdefault("NUMEXPR_NUM_THREADS", "1")   # as in a guard: from a process with threads none is forked
    # The shell without IPython does the same before anything of matplotlib is there.
    if not with_ipython and os.environ.get("MPLBACKEND", "module://").startswith("module://"):
        os.environ["MPLBACKEND"] = "agg"
    done = [name for name in names if _load(name)]
    for name in done:
        if name in _WITH and (name != "pandas" or "matplotlib.pyplot" in done):
            for late in _WITH[name]:
                _load(late)
    _note_settings()
    return done


def _ipython_is_loaded():
    return "safepyrun._ipython" in sys.modules


def _load(name):
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(f"{name} is left out: {error!r}", file=sys.stderr, flush=True)
        return False
    return True


def _note_settings():
    global _rc_file
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        _rc_file = matplotlib.matplotlib_fname()


def begin(environment):
    """In a guard, after the fork: what a process has of its own."""
    os.environ.clear()
    for entry in environment.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and name:
            os.environb[name] = value
    time.tzset()
    _forget_folders()
    _seed()


def _forget_folders():
    """The temporary folder and matplotlib's own are those of the session."""
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None
        tempfile._name_sequence = None
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return
    for function in (matplotlib.get_configdir, matplotlib.get_cachedir):
        _forget_result(function)
    if matplotlib.matplotlib_fname() != _rc_file:
        backend = dict.__getitem__(matplotlib.rcParams, "backend")
        settings = matplotlib.rc_params()
        dict.update(matplotlib.rcParams, settings)
        dict.update(matplotlib.rcParamsDefault, settings)
        dict.__setitem__(matplotlib.rcParams, "backend", backend)


def _forget_result(function):
    """Whichever way matplotlib remembers what it has once found; a way that is not known ends this guard."""
    if hasattr(function, "cache_clear"):
        function.cache_clear()
        return
    remembered = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    remembered["called"].cell_contents = False


def _seed():
    """`random` sees to it by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
