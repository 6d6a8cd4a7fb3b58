"""Names of ipykernel that libraries look up, bound to what this kernel has.

tqdm takes `ipykernel.zmqshell` in sys.modules as the sign of a notebook; bokeh and panel make their
comms with `ipykernel.comm.Comm`, which needs a kernel in this process to send anything. The names are
the same whether ipykernel is installed or not; whatever else it has is its own.
"""

import sys
import types


def install(shell_class, comms=None):
    """`comms` is the module _comms, or None without the package comm."""
    _add("ipykernel.zmqshell", ZMQInteractiveShell=shell_class)
    if comms is None:
        return

    class Comm(comms.GuardComm):
        """Takes the arguments of ipykernel's class, of which some mean nothing here."""

        def __init__(self, target_name="", data=None, metadata=None, buffers=None,
                     show_warning=False, **options):
            super().__init__(target_name, data, metadata, buffers, **options)

    class CommManager(comms.GuardCommManager):
        """ipykernel.ipkernel makes one of its own when it is imported, and hands it to everybody: there is one only."""

        def __new__(cls, *arguments, **options):
            return comms.manager

    names = {"Comm": Comm, "BaseComm": comms.GuardComm, "CommManager": CommManager}
    _add("ipykernel.comm", __path__=[], **names)
    _add("ipykernel.comm.comm", **names)
    _add("ipykernel.comm.manager", **names)


def _add(name, **content):
    module = types.ModuleType(name, "Stands in for ipykernel's module of this name.")
    vars(module).update(content)
    sys.modules[name] = module
