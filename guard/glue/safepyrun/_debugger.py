"""pdb in a cell. Its prompt is input(); what is typed there is user code, because it is made from text."""

import sys


def _cmdloop(self):
    """In place of Pdb's, which takes an interrupt for the end of a line: the cell would never end."""
    self.allow_kbdint = True
    try:
        self.cmdloop()
    except KeyboardInterrupt:
        sys.settrace(None)
        raise
    finally:
        self.allow_kbdint = False


def make_interruptible():
    """Called when a debugger starts."""
    pdb = sys.modules.get("pdb")
    if pdb is not None and hasattr(pdb, "Pdb"):
        pdb.Pdb._cmdloop = _cmdloop
        # pdb's own handler would wait for the next line of Python; ours ends the cell at once.
        pdb.Pdb.nosigint = property(lambda self: True, lambda self, value: None)
