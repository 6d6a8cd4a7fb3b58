"""Names in a policy file that mean nothing here. For `safepyrun policy check`, which says so.

No mistake for certain: the package may be installed elsewhere, another Python may have the built-in function. So no session refuses them.
"""

import builtins
import difflib
import importlib.machinery
import os
import site
import sys

#: put there by site and by IPython's shell, which are not at work here
_LATER = {"copyright", "credits", "display", "exit", "get_ipython", "help", "license", "quit"}


def _is_installed(module):
    own = os.path.dirname(os.path.dirname(sys.executable))  # site has not run: sys.prefix is not the virtual environment yet
    return importlib.machinery.PathFinder.find_spec(module, site.getsitepackages([own, sys.prefix])) is not None


def _no_builtin(name):
    known = {*dir(builtins), *_LATER}
    return None if name in known else ("there is no built-in name", known)


def _no_module(name):
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in ("safepyrun", "fastaudit") or _is_installed(top):
        return None
    return "no module here has the name", sys.stdlib_module_names


def hints(lists, extra_globals):
    """lists: key -> (file, names). A line for each name that is not there: of a module, if another one may be meant."""
    def no_global(name):
        return None if name in extra_globals else ("[extra_globals] does not have", set(extra_globals))

    asked = {"ban_builtins": _no_builtin, "allowed_builtins": _no_builtin, "ban_imports": _no_module, "allowed_imports": _no_module,
             "warm.imports": _no_module, "allowed_globals": no_global}
    lines = []
    for key, (file, names) in lists.items():
        for name in names if key in asked else ():
            missing = asked[key](name)
            near = difflib.get_close_matches(name, missing[1], 1, 0.75) if missing else []
            if missing and (near or asked[key] is not _no_module):
                lines.append(f'policy file {file}: {key}: {missing[0]} "{name}"' + (f'; "{near[0]}" may be meant' if near else ""))
    return lines
