"""What a cell hands to Python itself, to be called in the middle of the program's own work. Each is first shown to work."""

import functools
import os
import shutil
import signal
import sys

from host_tools import refused

from safepyrun import RunPython


def remover(folder):
    """No function of a cell, and no matter what else it is called with."""
    folder.mkdir(parents=True)
    return functools.partial(shutil.rmtree, folder)


async def must_hold(cell, later, folder):
    shown, kept = folder / "shown", folder / "kept"
    exec(cell, {"remove": remover(shown)})
    later()
    assert not shown.exists(), "this is no attack"
    await RunPython(g={"remove": remover(kept)})(cell)
    later()
    assert kept.exists()


def quietly(function, *args):
    try:
        function(*args)
    except (PermissionError, LookupError, TypeError) as error:
        print("refused:", error)


async def test_a_signal_handler(tmp_path):
    await must_hold("import signal\nsignal.signal(signal.SIGUSR1, remove)", lambda: quietly(signal.raise_signal, signal.SIGUSR1), tmp_path)


async def test_a_signal_handler_in_the_middle_of_a_callback(tmp_path):
    """What the program's own function may, it may: the handler that comes meanwhile may not."""
    folder = tmp_path / "folder"

    def pre_deny(event, args, frame, message, data, frame_args):
        (tmp_path / event).mkdir()
        quietly(signal.raise_signal, signal.SIGUSR1)

    run = RunPython(g={"remove": remover(folder)}, pre_deny=pre_deny)
    with refused("make a folder"):
        await run(f"import os, signal\nsignal.signal(signal.SIGUSR1, remove)\nos.mkdir({str(tmp_path / 'other')!r})")
    assert folder.exists() and (tmp_path / "os.mkdir").exists() and not (tmp_path / "other").exists()


async def test_a_hook_of_fork(tmp_path):
    def fork():
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    await must_hold("import os\nos.register_at_fork(before=remove)", fork, tmp_path)


async def test_a_search_for_a_codec(tmp_path):
    await must_hold("import codecs\ncodecs.register(remove)", lambda: quietly("x".encode, "no_such_codec_" + str(len(os.listdir(tmp_path)))), tmp_path)


async def test_an_error_handler_of_codecs(tmp_path):
    await must_hold("import codecs\ncodecs.register_error('mine', remove)", lambda: quietly("ä".encode, "ascii", "mine"), tmp_path)


async def test_a_hook_of_asynchronous_generators(tmp_path):
    async def numbers():
        yield 1

    def iterate():
        quietly(numbers().__anext__().close)
        sys.set_asyncgen_hooks(*hooks)

    hooks = sys.get_asyncgen_hooks()
    await must_hold("import sys\nsys.set_asyncgen_hooks(firstiter=remove)", iterate, tmp_path)
    await must_hold("import sys\nsys.set_asyncgen_hooks(remove)", iterate, tmp_path / "again")
    await RunPython(g={})("import sys\nold = sys.get_asyncgen_hooks()\nsys.set_asyncgen_hooks(None, None)\nsys.set_asyncgen_hooks(*old)")
    assert sys.get_asyncgen_hooks() == hooks and all(new is old for new, old in zip(sys.get_asyncgen_hooks(), hooks, strict=True))


async def test_the_handler_of_the_program_is_put_back_as_it_was(tmp_path):
    log = tmp_path / "log"
    signal.signal(signal.SIGUSR1, lambda *_: log.write_text("heard"))
    await RunPython(g={})("import signal\nold = signal.signal(signal.SIGUSR1, lambda *_: None)\n"
                          "signal.signal(signal.SIGUSR1, old)\nsignal.signal(signal.SIGINT, signal.default_int_handler)")
    signal.raise_signal(signal.SIGUSR1)
    assert log.read_text() == "heard" and signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_a_cell_finds_the_handler_that_it_has_set():
    assert await RunPython(g={})("import signal\nf = lambda *_: 1\nsignal.signal(signal.SIGUSR1, f)\nsignal.getsignal(signal.SIGUSR1) is f")
    assert await RunPython(g={})("import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_DFL).__name__") == "<lambda>"


async def test_a_handler_of_a_cell_works_and_is_guarded(tmp_path):
    run = RunPython(g={"path": str(tmp_path / "new")})
    await run("import signal\nheard = []\nsignal.signal(signal.SIGUSR1, lambda *_: heard.append(open(path, 'w')))")
    with refused("open for writing"):
        signal.raise_signal(signal.SIGUSR1)
    assert run.g["heard"] == []
