"""Modules that a guarded session cannot bear as they are: amended as they are loaded.

Not when the session starts: importing them would cost each of them what few of them need.
"""

import sys
from _frozen_importlib_external import PathFinder

#: name: what is done to the module
_waiting = {}


class _Finder:
    """Finds each of them once; what has imported it meets it amended."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        amend = _waiting.pop(name, None)
        spec = PathFinder.find_spec(name, path) if amend is not None else None
        if spec is not None:
            spec.loader.exec_module = lambda module: _load(module, amend)
        return spec


def _load(module, amend):
    loader = module.__loader__
    del loader.exec_module  # the class's own again
    loader.exec_module(module)
    amend(module)


def _joblib(parallel):
    """Its processes are programs; scikit-learn asks for them with n_jobs. Whoever names them is told by joblib that threads do it."""
    for name in ("loky", "multiprocessing"):
        parallel.BACKENDS.pop(name, None)
    parallel.DEFAULT_BACKEND = parallel.DEFAULT_PROCESS_BACKEND = "threading"


def _loky(context):
    """joblib asks a program how many cores there are, and a refusal is a warning with a traceback to it."""
    context._count_physical_cores_linux = _physical_cores


def _physical_cores():
    import glob
    import os

    cores = set()       # each tells which processors it is made of
    for name in glob.glob("/sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list"):
        with open(name) as file:
            cores.add(file.read())
    return len(cores) or os.cpu_count()


def _dask(base):
    """Bags ask for processes unless they are told otherwise."""
    schedulers = base.named_schedulers
    schedulers.update(dict.fromkeys(schedulers.keys() & {"processes", "multiprocessing"}, schedulers["threads"]))


def _tqdm(std):
    """The thread that looks after slow bars ends with the last of them: while it runs, no frozen copy is taken."""
    original = std.tqdm._decr_instances.__func__

    def _decr_instances(cls, instance):
        original(cls, instance)
        if cls.monitor is not None and not cls._instances:
            cls.monitor.was_killed.set()    # not exit(), which waits for it: this may be a finalizer that holds tqdm's lock

    std.tqdm._decr_instances = classmethod(_decr_instances)


def work_in_threads():
    """Called before trusted code runs, where no program can be started."""
    _amend({"joblib.parallel": _joblib, "dask.base": _dask, "joblib.externals.loky.backend.context": _loky,
            "loky.backend.context": _loky})


def amend():
    """Called once, before a shell starts."""
    _amend({"tqdm.std": _tqdm})
    if sys.version_info >= (3, 14):
        from safepyrun import _python314
        _amend(_python314.AMENDMENTS)


def _amend(amendments):
    for name, change in amendments.items():
        if name in sys.modules:     # in a template, or by IPython
            change(sys.modules[name])
        else:
            _waiting[name] = change
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
