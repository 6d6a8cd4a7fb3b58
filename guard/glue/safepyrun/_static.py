"""Looking at objects without running anything of theirs.

No `__getattr__`, property, `__class__`, `__dir__`, `__eq__` or `__repr__` of anybody's is called: classes are
compared by what they are, not by what they say, dictionaries are read only where they are Python's own,
and of descriptors only those that C made are asked.
"""

import builtins
import types

from safepyrun import _guard

#: what functions of the modules here find as their built-ins, whatever a cell puts into `builtins` later
OWN_BUILTINS = __builtins__ = dict(vars(builtins))

KEYWORDS = ("False None True and as assert async await break class continue def del elif else except finally for "
            "from global if import in is lambda nonlocal not or pass raise return try while with yield").split()

_type_mro = type.__dict__["__mro__"].__get__
_type_dict = type.__dict__["__dict__"].__get__
_type_name = type.__dict__["__name__"].__get__
_C_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_C_FUNCTIONS = (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
                types.ClassMethodDescriptorType, types.MethodWrapperType)
_PLAIN_DESCRIPTORS = (types.FunctionType, *_C_FUNCTIONS, classmethod, staticmethod, types.MethodType)
_SCALARS = (int, float, complex, bool, bytes, str, type(None))
_TEXT_MAX = 200
_is_user_code = _guard.is_user_code


class Unknown(Exception):
    """The name leads nowhere without running code."""


def is_a(value, kind):
    """isinstance() without a look at `__class__`."""
    return issubclass(type(value), kind)


def type_name(value):
    return _type_name(type(value))


def members(namespace):
    """A copy, of what is named by plain strings: another thread may change the original meanwhile."""
    if type(namespace) not in (dict, types.MappingProxyType):
        return {}
    return {name: value for name, value in dict(namespace).items() if type(name) is str}


def classes_of(value):
    return _type_mro(value if is_a(value, type) else type(value))


def _entry(classes, name):
    for cls in classes:
        own = members(_type_dict(cls))
        if name in own:
            return own[name]
    raise Unknown(name)


def own_members(value):
    """What is in the `__dict__` of an object, if that is Python's own."""
    if is_a(value, type):
        return members(_type_dict(value))
    try:
        slot = _entry(_type_mro(type(value)), "__dict__")
    except Unknown:
        return {}
    if type(slot) not in _C_DESCRIPTORS:
        return {}
    try:
        return members(slot.__get__(value, type(value)))
    except Exception:
        return {}


def attribute(value, name):
    """What `value.name` would be, or Unknown where that takes code of somebody's."""
    if not is_a(value, type):
        own = own_members(value)
        if name in own:
            return own[name]
    found = _entry(classes_of(value), name)
    kind = type(found)
    if kind in _PLAIN_DESCRIPTORS:
        return found.__get__(None if is_a(value, type) else value, type(value))
    try:
        _entry(_type_mro(kind), "__get__")
    except Unknown:
        return found
    raise Unknown(name)


def resolve(namespace, builtins, path):
    """The object that a dotted path names; raises Unknown."""
    first, *rest = path.split(".")
    value = _first(members(namespace), members(builtins), first)
    for name in rest:
        value = attribute(value, name)
    return value


def _first(namespace, builtins, name):
    for where in (namespace, builtins):
        if name in where:
            return where[name]
    raise Unknown(name)


def all_members(value):
    """name -> what stands for it, in the object and its classes: dir() without anybody's code."""
    found = {}
    for cls in reversed(classes_of(value)):
        found.update(members(_type_dict(cls)))
    if not is_a(value, type):
        found.update(own_members(value))
    return found


def _runs_user_code(entry):
    """Whether what stands for a name in a class is the user's: then to use it runs code."""
    kind = type(entry)
    if kind in _C_FUNCTIONS or kind in _C_DESCRIPTORS or entry is None:
        return False
    if kind in (classmethod, staticmethod, types.MethodType):
        return _runs_user_code(entry.__func__)
    if kind is property:
        return any(each is not None and _runs_user_code(each) for each in (entry.fget, entry.fset))
    return kind is not types.FunctionType or _is_user_code(entry)


def is_users(value, names):
    """Whether any of these methods of an object was written by the user."""
    classes = _type_mro(type(value))
    for name in names:
        try:
            if _runs_user_code(_entry(classes, name)):
                return True
        except Unknown:
            pass
    return False


#: what isinstance() and any look at an object go through
_LOOK = ("__getattribute__", "__class__")


def hides_itself(value):
    """Whether a mere look at it runs code of the user's."""
    return is_users(value, _LOOK)


#: what dir() goes through
_DIR = ("__dir__", "__getattribute__", "__getattr__", "__class__", "__dict__")


def names_of(value):
    """dir(), which runs methods of libraries, and none of the user's."""
    own = own_members(value) if is_a(value, types.ModuleType) else {}
    if is_users(value, _DIR) or "__dir__" in own:
        return list(all_members(value))
    return dir(value)


#: what listing the keys of a container may go through besides
_KEYS = (*_DIR, "_ipython_key_completions_", "keys", "__iter__", "__len__", "__getitem__")


def lists_keys_itself(value):
    """Whether asking for its keys runs code of the user's."""
    return is_users(value, _KEYS)


def kind_of(value):
    """In the words of completion."""
    if type(value) in (property, *_C_DESCRIPTORS):
        return "property"
    if type(value) in _PLAIN_DESCRIPTORS:
        return "function"
    if is_a(value, types.ModuleType):
        return "module"
    if is_a(value, type):
        return "class"
    return "function" if callable(value) else "instance"


def text_of(value):
    """repr() of small values of Python's own types; None for all others."""
    kind = type(value)
    if kind is int and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    if kind in (str, bytes) and len(value) > _TEXT_MAX:
        return f"{value[:_TEXT_MAX]!r}..."
    if kind in _SCALARS:
        return repr(value)
    if kind in (list, tuple, dict, set, frozenset):
        return f"{type_name(value)} of {len(value)}"
    return None


def _parameter(name, default, has_default):
    if not has_default:
        return name
    return f"{name}={text_of(default) if type(default) in _SCALARS else '...'}"


def _function_parameters(function):
    code = function.__code__
    names = list(code.co_varnames)
    defaults = function.__defaults__ or ()
    by_name = function.__kwdefaults__ or {}
    count, only = code.co_argcount, code.co_kwonlyargcount
    first_default = count - len(defaults)
    shown = [_parameter(name, defaults[at - first_default] if at >= first_default else None, at >= first_default)
             for at, name in enumerate(names[:count])]
    if code.co_posonlyargcount:
        shown.insert(code.co_posonlyargcount, "/")
    rest = count + only
    if code.co_flags & 0x04:  # *args
        shown.append("*" + names[rest])
        rest += 1
    elif only:
        shown.append("*")
    shown += [_parameter(name, by_name.get(name), name in by_name) for name in names[count:count + only]]
    if code.co_flags & 0x08:  # **kwargs
        shown.append("**" + names[rest])
    return shown


def _text_signature(value, kind):
    text = kind.__dict__["__text_signature__"].__get__(value)
    if type(text) is not str:
        return None
    for first in ("$self, ", "$module, ", "$type, ", "$self", "$module", "$type"):
        text = text.replace("(" + first, "(")
    return text.replace("(/, ", "(").replace("(/)", "()")


def signature(value):
    """"(a, b=1)" or None."""
    kind = type(value)
    if kind is types.FunctionType:
        return f"({', '.join(_function_parameters(value))})"
    if kind is types.MethodType and type(value.__func__) is types.FunctionType:
        return f"({', '.join(_function_parameters(value.__func__)[1:])})"
    if kind in _C_FUNCTIONS:
        return _text_signature(value, kind)
    if not is_a(value, type):
        return None
    for name in ("__init__", "__new__"):
        found = _entry(classes_of(value), name)
        found = found.__func__ if type(found) is staticmethod else found
        if type(found) is types.FunctionType:
            return f"({', '.join(_function_parameters(found)[1:])})"
    return _text_signature(value, type)


def docstring(value):
    own = own_members(value) if is_a(value, (type, types.ModuleType)) else {}
    found = own.get("__doc__")
    if found is None:
        try:
            found = _entry(classes_of(value), "__doc__")
        except Unknown:
            return None
    if type(found) in _C_DESCRIPTORS:
        found = found.__get__(value, type(value))
    return found if type(found) is str else None


def file_of(value):
    function = value.__func__ if type(value) is types.MethodType else value
    if type(function) is types.FunctionType:
        return function.__code__.co_filename
    name = own_members(value).get("__file__") if is_a(value, types.ModuleType) else None
    return name if type(name) is str else None
