"""Cells that last as long as a test says, on a fast machine as on a slow one."""


def holds_the_gil(seconds):
    """A cell that prints, then keeps the interpreter to itself: C calls C, no bytecode runs in between and no signal is seen."""
    return (
        "import functools, operator, time; print('on', flush=True); "
        f"x = all(map(functools.partial(operator.gt, time.monotonic() + {seconds}), iter(time.monotonic, None)))"
    )
