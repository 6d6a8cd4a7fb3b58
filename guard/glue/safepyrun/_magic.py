"""`%%py`: a cell of IPython that runs under the guard, in a notebook or at a terminal that is not guarded itself."""

import asyncio
import contextvars

from safepyrun._allow import allow
from safepyrun._runpython import RunPython


class _Rest:
    """What is left of an awaitable after its first step, which ended at `waited_for`."""

    def __init__(self, steps, waited_for):
        self.steps, self.waited_for = steps, waited_for

    def __await__(self):
        yield self.waited_for
        return (yield from self.steps)


async def _finish(awaitable):
    __tracebackhide__ = True    # IPython shows the cell's lines, not these
    return await awaitable


def _running_loop():
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _run(shell, awaitable):
    """The value; inside of a running loop, which nobody may block, a task for a cell that has to wait."""
    __tracebackhide__ = True
    loop = _running_loop()
    if loop is None:
        return shell.loop_runner(_finish(awaitable))
    # The first step runs in a context of its own: a cell that waits must not leave its guard around ours.
    context, steps = contextvars.copy_context(), awaitable.__await__()
    try:
        waited_for = context.run(next, steps)
    except StopIteration as end:
        return end.value
    return loop.create_task(_finish(_Rest(steps, waited_for)), context=context)


def create_pyrun_magic(shell=None, python=None, **kwargs):
    """Registers `%%py` and `%py`; -o returns the runner. `kwargs` go to RunPython when there is none yet."""
    if shell is None:
        from IPython import get_ipython
        shell = get_ipython()
    if python is None:
        python = RunPython(g=shell.user_ns, **kwargs)

    def py(line, cell=None):
        """Run a line or a cell under the guard; its value is that of the last expression. `%py -o`: the runner, a RunPython."""
        __tracebackhide__ = True
        if line.strip() == "-o":
            return python
        code = line if cell is None else cell
        if code.strip():
            return _run(shell, python(code))

    shell.register_magic_function(py, "line_cell", "py")


create_python_magic = create_pyrun_magic


def load_ipython_extension(ip):
    """`%load_ext safepyrun`: the names `pyrun`, `python` and `allow`, and the magic."""
    runner = RunPython(g=ip.user_ns)
    ip.user_ns.update(pyrun=runner, python=runner, allow=allow)
    create_pyrun_magic(ip, runner)
