"""What a shell knows of the cell at hand, where several run at a time."""

from _thread import _local, get_ident

_main = get_ident()


def in_main():
    return get_ident() == _main


class OfThread:
    """An attribute of the one shell: each subshell's thread has its own, all other threads see the main thread's."""

    def __init__(self, value=None):
        self._of_main, self._kept = value, _local()

    def __get__(self, shell, owner=None):
        return self if shell is None else getattr(self._kept, "value", self._of_main)

    def __set__(self, shell, value):
        if in_main():
            self._of_main = value
        else:
            self._kept.value = value
