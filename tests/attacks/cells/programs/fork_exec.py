# _posixsubprocess.fork_exec: subprocess raises its event in Python, this one raises none.
# says: start a program
import _posixsubprocess, os
_posixsubprocess.fork_exec([b"/bin/touch", outside.encode() + b"/evil"], [b"/bin/touch"], True, (), None, None,
                           -1, -1, -1, -1, -1, -1, *os.pipe(), False, False, 0, None, None, None, -1, None, False)
