"""The guard's event loop: cells that await, and the tasks that they leave behind."""

import _thread

from safepyrun import _guard
from safepyrun._library import load

asyncio, events, tasks = load("asyncio"), load("asyncio.events"), load("asyncio.tasks")

_loop = None
_of_thread = _thread._local()  # loops of subshells
_cell = None          # the task of the cell that awaits, once it is made
_cancelled = False    # whether SIGINT has cancelled it


def loop():
    global _loop
    if _loop is None or _loop.is_closed():  # a cell may have closed it
        made = asyncio.new_event_loop()
        # A SIGINT just before the loop waits would not end its waiting.
        made.add_reader(_guard.wake_fd(), _guard.clear_wake)
        asyncio.set_event_loop(made)
        _loop = made  # whole: an ordinary cell that asks for it may be interrupted
    return _loop


def enter():
    """Around a cell that does not await: create_task() and get_running_loop() find the loop.

    True when leave() is due: a cell inside of another finds the loop running already.
    """
    if events._get_running_loop() is not None:
        return False
    events._set_running_loop(loop())
    return True


def enter_beside():
    """The same for a callback in a subshell's thread, with the main thread's loop."""
    if _loop is None or _loop.is_closed() or events._get_running_loop() is not None:
        return False
    events._set_running_loop(_loop)
    return True


def leave():
    events._set_running_loop(None)


async def _in_order(steps):
    value = None
    for step, is_awaited in steps:
        value = step()
        if is_awaited:
            value = await value
    return value


def interrupt():
    """SIGINT while a cell awaits. True: raise KeyboardInterrupt where the main thread is.

    While the loop only waits, an exception would tear the loop down instead of the cell: the cell's
    task is cancelled. A step that computes is interrupted as any code; so is a callback that did not
    end after the first attempt. While the loop and the task are made, the first one is kept for the task.
    """
    global _cancelled
    if _cancelled or (_cell is not None and tasks.current_task(_loop) is not None):
        return True
    _cancelled = True
    if _cell is not None:
        _loop.call_soon_threadsafe(_cell.cancel)
    return False


def run_cell(steps):
    """The value of the last step. Frames above the cell are stripped by the caller."""
    global _cell, _cancelled
    outer, running = (_cell, _cancelled), events._get_running_loop()
    _cell, _cancelled = None, False
    events._set_running_loop(None)  # a magic of an ordinary cell may run a cell that awaits
    try:
        _cell = loop().create_task(_in_order(steps))
        if _cancelled:
            _cell.cancel()
        return _loop.run_until_complete(_cell)
    except asyncio.CancelledError as error:
        if _cancelled:
            raise KeyboardInterrupt().with_traceback(error.__traceback__) from None
        raise
    except (KeyboardInterrupt, SystemExit):
        if _cell is not None:
            _abandon(_cell, _loop)
        raise
    finally:
        _cell, _cancelled = outer
        events._set_running_loop(running)


def run_in_subshell(steps):
    """The same in the thread of a subshell, which has a loop of its own. Its tasks go on while a cell awaits there."""
    own = getattr(_of_thread, "loop", None)
    if own is None or own.is_closed():
        own = _of_thread.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(own)
    task = own.create_task(_in_order(steps))
    try:
        return own.run_until_complete(task)
    except (KeyboardInterrupt, SystemExit):
        _abandon(task, own)
        raise


def leave_subshell():
    """At the end of its thread. Tasks that are left are not asked: nobody could stop them any more."""
    own = getattr(_of_thread, "loop", None)
    if own is not None:
        own.close()


def _abandon(task, loop):
    """The interrupt hit another task or a callback, or the loop itself: the cell ends all the same."""
    if not task.done():
        task.cancel()
        try:
            loop.run_until_complete(task)
        except BaseException:  # the interrupt is what is reported
            pass
    elif not task.cancelled():
        task.exception()  # retrieved: asyncio need not complain


def _has_work():
    if tasks.all_tasks(_loop) or getattr(_loop, "_ready", True) or getattr(_loop, "_scheduled", True):
        return True
    selector = getattr(_loop, "_selector", None)
    return selector is None or len(selector.get_map()) > 2  # the loop's own wake-up socket and ours


def idle(fd):
    """Between two requests: tasks go on until there is something to read."""
    if _loop is None or _loop.is_closed() or not _has_work():
        return
    _loop.add_reader(fd, _loop.stop)
    try:
        _loop.run_forever()
    finally:
        _loop.remove_reader(fd)


def thaw():
    """In a copy that takes over: epoll is empty, sockets are dead ends, the fork has unset the loop."""
    if _loop is None or _loop.is_closed():
        return
    asyncio.set_event_loop(_loop)
    for key in list(_loop._selector.get_map().values()):
        try:
            _loop._selector._selector.register(key.fd, (key.events & 1) | (key.events & 2) << 1)
        except OSError:  # closed behind the loop's back: as without a copy
            pass
    _loop._close_self_pipe()
    _loop._make_self_pipe()


def finish():
    if _loop is None or _loop.is_closed():
        return
    left = tasks.all_tasks(_loop)
    for task in left:
        task.cancel()
    if left:
        _loop.run_until_complete(asyncio.wait(left, timeout=0.3))
    _loop.close()
