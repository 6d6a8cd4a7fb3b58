# A Tcl interpreter has files, programs and sockets of its own.
# expect: any
import _tkinter
_tkinter.create(None, "x", "Tk", False, 0, False, False, None)
