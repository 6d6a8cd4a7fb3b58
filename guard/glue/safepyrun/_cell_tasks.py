"""The asyncio tasks of one call of RunPython: those that its cell has started, known by their context.

On a server others start tasks meanwhile; they are none of a cell's business. `entry` is what the C code sets in the
context while the cell runs, and tasks inherit.
"""

import asyncio
import contextvars
import gc


def _context(task):
    if hasattr(task, "get_context"):  # 3.12
        return task.get_context()
    return next((each for each in gc.get_referents(task) if type(each) is contextvars.Context), {})


def _left(entry):
    """Those that are not done."""
    try:
        current, tasks = asyncio.current_task(), asyncio.all_tasks()
    except RuntimeError:  # nobody runs a loop: a cell that does not await needs none
        return []
    return [task for task in tasks if task is not current and any(value is entry for value in _context(task).values())]


def wait_for_tasks(entry):
    """What waits for them; None when there are none."""
    return _wait(entry) if _left(entry) else None


async def _wait(entry):
    errors = []
    while tasks := _left(entry):
        results = await asyncio.gather(*tasks, return_exceptions=True)
        errors += [result for result in results
                   if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError)]
    for error in errors:
        if isinstance(error, PermissionError):
            raise error
    if errors:
        raise errors[0]


def cancel_tasks(entry):
    """When the cell has failed, or is not wanted any more."""
    for task in _left(entry):
        task.cancel()
