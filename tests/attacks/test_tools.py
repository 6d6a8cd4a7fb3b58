"""Attacks on the rights of tools: cells that try to make a function of tools.py do what they may not.

Each cell is run where nobody is guarded first: there it has to leave its trace, so that a cell which could
never do anything is noticed. Then under the guard: the trace must not be there. `ATTACK` in a cell is a shell
command that leaves it.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest
from guard_client import LIBRARY, Guard

TIMEOUT_SECONDS = 30
TOOLS = pathlib.Path(__file__).parent / "tools.py"

PRELUDE = ("import contextlib, functools, gc, io, operator, os, signal, subprocess, sys, time, types, weakref\nimport tools\n"
           # what only the collector finds, in the middle of allocates()
           "def DYING(make):\n    gc.disable()\n    for _ in range(10):\n        kept = [make()]; kept.append(kept); del kept\n    gc.enable()\n"
           # a partial in a class is a method from 3.14 on
           # takes whatever it is called with
           "ANY = lambda command: functools.partial(print, command, '#', sep='\\n', file=types.SimpleNamespace(write=os.system))\n"
           "UNBOUND = staticmethod if sys.version_info >= (3, 14) else lambda function: function\n"
           # what a library may ask the collector for
           "def LISTED(kind):\n    from concurrent.futures import ThreadPoolExecutor\n"
           "    return [o for o in ThreadPoolExecutor(1).submit(gc.get_objects).result() if type(o) is kind]\n")

ATTACKS = {
    # ---- what a tool stands on ----
    "global": "tools.COMMAND = ATTACK; by_global()",
    "global through vars": "vars(tools)['COMMAND'] = ATTACK; by_global()",
    "global through __globals__": "by_global.__globals__['COMMAND'] = ATTACK; by_global()",
    "global list": "tools.COMMANDS.append(ATTACK); by_list()",
    "global replaced by an iterator": "tools.COMMANDS = map(os.system, [ATTACK]); by_list()",
    "namespace": "settings.command = ATTACK; by_setting()",
    "settings": "tools.chosen.command = ATTACK; by_chosen()",
    "settings in another __dict__": "tools.chosen.__dict__ = {'command': ATTACK}; by_chosen()",
    "class of settings": "C = type('C', (tools.Chosen,), {'command': property(lambda s: ATTACK)})\n"
                         "functools.update_wrapper(tools.chosen, type('W', (), {'__class__': C})(), assigned=['__class__'], updated=[])\n"
                         "by_chosen()",
    "property of settings": "tools.Chosen.command = property(lambda s: ATTACK); by_chosen()",
    "settings that answer": "tools.Chosen.__getattribute__ = lambda s, n: ATTACK; by_chosen()",
    "policy's settings in another __dict__": "tools.only_true.__dict__ = {'words': {ATTACK}}; checked(ATTACK)",
    "global under two names": "T = type('T', (str,), {'__eq__': lambda s, o: s.turns.pop() if s.turns else False, '__hash__': str.__hash__})\n"
                              "space, one, two = vars(tools), T('COMMAND'), type('U', (str,), {})('COMMAND')\n"
                              "one.turns, kept = [], space.pop('COMMAND')\n"
                              "space[one] = ATTACK; space[two] = kept; one.turns.append(True); by_global()",
    "class": "Settings.command = ATTACK; by_setting()",
    "class replaced": "tools.Settings = types.SimpleNamespace(command=ATTACK); by_setting()",
    "helper": "tools.helper = lambda: ATTACK; by_helper()",
    "helper that is no code": "tools.helper = functools.partial(os.system, ATTACK); by_helper()",
    "class of settings, what it says": "tools.Wrapping.word = ATTACK; by_class_of_settings()",
    "static method made anew": "vars(tools.Wrapping)['text'].__init__(functools.partial(subprocess.getoutput, ATTACK)); by_static_method()",
    "property made anew": "vars(tools.Wrapping)['name'].__init__(functools.partial(subprocess.getoutput, ATTACK))\n"
                          "vars(tools.Wrapping)['name'].__init__(functools.partial(print, ATTACK, '#', sep='\\n',"
                          " file=types.SimpleNamespace(write=os.system))); by_property()",
    "state of a partial": "tools.starts_true.__setstate__((os.system, (ATTACK,), {}, None)); by_partial()",
    "code of a helper": "f = lambda: ATTACK_TEXT\nfunctools.update_wrapper(helper, f, assigned=['__code__'], updated=[]); by_helper()",
    "default": "f = lambda x: 1\nn = types.SimpleNamespace(__defaults__=(ATTACK,))\n"
               "functools.update_wrapper(by_default, n, assigned=['__defaults__'], updated=[]); by_default()",
    "keyword default": "import inspect\n"
                       "inspect.signature(by_keyword_default).parameters['commands'].default[0] = ATTACK; by_keyword_default()",
    "module of a tool": "tools.subprocess = types.SimpleNamespace(run=lambda a: os.system(ATTACK)); by_global()",
    "module of a tool, no code": "tools.subprocess = types.SimpleNamespace(run=functools.partial(print, ATTACK, '#',"
                                 " file=types.SimpleNamespace(write=os.system)), end=''); by_global()",
    "function of a library": "subprocess.Popen = lambda *a, **k: os.system(ATTACK); by_global()",
    "method of a library": "subprocess.Popen.__enter__ = lambda self: os.system(ATTACK); by_global()",
    "method of a library, no code": "subprocess.Popen.communicate = functools.partial(os.system, ATTACK)\n"
                                    "subprocess.Popen.wait = property(functools.partial(print, ATTACK, '#', end='',"
                                    " file=types.SimpleNamespace(write=os.system))); by_global()",
    "built-in function": "import builtins; builtins.super = lambda *a: os.system(ATTACK)\n"
                         "builtins.isinstance = lambda *a: os.system(ATTACK); by_global()",
    "built-in shadowed": "tools.print = functools.partial(os.system, ATTACK)\ntools.str = functools.partial(os.system, ATTACK)\n"
                         "text_of.__globals__['str'] = lambda x: os.system(ATTACK); text_of(1)",
    "imported module": "sys.modules['colorsys'] = types.SimpleNamespace(rgb_to_hsv=lambda *a: os.system(ATTACK)); by_import()",
    "imported module, no code": "sys.modules['colorsys'] = types.SimpleNamespace(rgb_to_hsv=functools.partial(print, ATTACK,"
                                " '#', sep='', file=types.SimpleNamespace(write=os.system), end='')); by_import()",
    "closure": "made.__closure__[0].cell_contents = ATTACK; made()",
    "another closure of the same code": "tools.maker(ATTACK)()",
    "same decorator": "only_decorated(ATTACK)",
    "same context manager": "with unmanaged(ATTACK): pass",
    "copy of a function": "types.FunctionType(made.__code__, made.__globals__, 'f', None,"
                          " (types.CellType(ATTACK),))()",
    "subclass": "type('Mine', (Base,), {'command': lambda self: ATTACK})().run()",
    "method of the object": "base.command = lambda: ATTACK; base.run()",
    "method of the class": "Base.command = lambda self: ATTACK; base.run()",
    "method of the object under an equal name": "T = type('T', (str,), {})\nbase.__dict__[T('command')] = lambda: ATTACK; base.run()",
    "method in another __dict__ of the object": "base.__dict__ = type('D', (dict,), {})(command=lambda: ATTACK); base.run()",
    "other object as self": "Base.run(types.SimpleNamespace(command=lambda: ATTACK))",
    "class of the object": "base.__class__ = type('Mine', (Base,), {'command': lambda self: ATTACK}); base.run()",
    "method of a library's object": "tools.log.warning = os.system; by_log(ATTACK)",
    "method of a library's object in another __dict__": "tools.log.__dict__ = {**vars(tools.log), 'warning': os.system}; by_log(ATTACK)",
    "method of a library's class": "import logging; logging.Logger.warning = staticmethod(os.system); by_log(ATTACK)",
    "property of a library's class": "import logging; logging.Logger.name = property(ANY(ATTACK)); by_log('x')",
    "method that a library's object calls": "tools.log.makeRecord = lambda *a, **k: ATTACK; tools.log.handle = os.system; by_log(1)",
    "filter of a log": "import logging; logging.setLogRecordFactory(lambda *a, **k: ATTACK); tools.log.addFilter(os.system); by_log(1)",
    "handler of a log": "import logging\nh = logging.Handler(); h.handle = ANY(ATTACK); tools.log.addHandler(h); by_log(1)",
    "method of the log of all": "import logging; logging.root.warning = os.system; by_log(ATTACK)",
    "object of a library's module": "import json; json._default_decoder.decode = os.system; by_json(ATTACK)",
    "pattern in a cache": "import re; re._cache[str, '[a-z]+', 0] = re.compile('.*')\nvars(re).get('_cache2', {})[str, '[a-z]+', 0] = re.compile('.*')\n"
                          "by_pattern(ATTACK)",
    "pattern in a cache that is none": "import re; re._cache[str, '[a-z]+', 0] = types.SimpleNamespace(fullmatch=os.system)\n"
                                       "vars(re).get('_cache2', {})[str, '[a-z]+', 0] = re._cache[str, '[a-z]+', 0]\nby_pattern(ATTACK)",
    "copier of a type": "import copy; copy.dispatch_table = {types.SimpleNamespace: ANY(ATTACK)}; copies(types.SimpleNamespace())",
    "function for a type": "tools.chooses.register(bytes, os.system); by_helper_that_chooses(ATTACK.encode())",
    "function for a type, behind its back": "tools.chooses.dispatch.__closure__[1].cell_contents[bytes] = os.system\n"
                                            "by_helper_that_chooses(ATTACK.encode())",
    # ---- carriers ----
    "callback": "apply(lambda: os.system(ATTACK))",
    "callback, built-in": "apply(os.system, ATTACK)",
    "callback of a library": "apply(subprocess.getoutput, ATTACK)",
    "callback, partial": "apply(functools.partial(os.system, ATTACK))",
    "callback, partial of partial": "apply(functools.partial(functools.partial(os.system), ATTACK))",
    "callback, methodcaller": "apply(operator.methodcaller('system', ATTACK), os)",
    "callback, bound method": "apply(types.MethodType(os.system, ATTACK))",
    "callback, class": "apply(subprocess.Popen, ['sh', '-c', ATTACK]).wait()",
    "callback in a list": "tools.apply(tools.apply, [os.system][0], ATTACK)",
    "callback, class of a cell": "apply(type('C', (), {'__call__': UNBOUND(functools.partial(os.system, ATTACK))})())",
    "callback, static method": "apply(type('C', (), {'__call__': staticmethod(os.system)})(), ATTACK)",
    "comprehension": "consume(os.system(c) for c in [ATTACK])",
    "map": "consume(map(os.system, [ATTACK]))",
    "filter": "consume(filter(os.system, [ATTACK]))",
    "starmap": "import itertools; consume(itertools.starmap(os.system, [[ATTACK]]))",
    "map in a chain": "import itertools; consume(itertools.chain([1], map(os.system, [ATTACK])))",
    "map in a zip": "consume(zip(map(os.system, [ATTACK])))",
    "callable iterator": "consume(iter(functools.partial(os.system, ATTACK), 0))",
    "sort key": "order([ATTACK], os.system)",
    "key function": "order([1, 2], functools.cmp_to_key(lambda a, b: os.system(ATTACK)))",
    "__str__": "text_of(type('C', (), {'__str__': lambda self: str(os.system(ATTACK))})())",
    "__str__ without code": "text_of(type('C', (), {'__str__': UNBOUND(functools.partial(os.system, ATTACK))})())",
    "__repr__ without code": "text_of(type('C', (), {'__repr__': UNBOUND(functools.partial(os.system, ATTACK))})())",
    "__repr__ in a list": "text_of([[type('C', (), {'__repr__': UNBOUND(functools.partial(os.system, ATTACK))})()]])",
    "__len__ without code": "length_of(type('C', (), {'__len__': UNBOUND(functools.partial(os.system, ATTACK))})())",
    "inherited __len__ without code": "C = type('C', (), {'__len__': UNBOUND(functools.partial(os.system, ATTACK))})\n"
                                      "length_of(type('D', (C,), {'f': lambda self: 1})())",
    "metaclass": "M = type('M', (type,), {'__len__': UNBOUND(functools.partial(os.system, ATTACK))})\nlength_of(M('C', (), {}))",
    "file": "write_to(types.SimpleNamespace(write=functools.partial(print, ATTACK, end='#', "
            "file=types.SimpleNamespace(write=os.system))))",
    "file of a cell": "C = type('C', (), {})\nc = C(); c.write = functools.partial(os.system, ATTACK, )\n"
                      "c.write = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\nwrite_to(c)",
    "defaultdict": "import collections\n"
                   "look_up(collections.defaultdict(functools.partial(os.system, ATTACK)), 1)",
    "__missing__": "C = type('C', (dict,), {'__missing__': os.system})\nC2 = type('C', (dict,), {'__missing__': lambda s, k: os.system(k)})\n"
                   "look_up(C2(), ATTACK)",
    "default of json": "dump(ATTACK.__class__, lambda o: os.system(ATTACK))",
    "cache": "apply(functools.lru_cache(os.system), ATTACK)",
    "property of a cell's class": "C = type('C', (), {'write': property(functools.partial(print, ATTACK, end='#',"
                                  " file=types.SimpleNamespace(write=os.system)))})\nwrite_to(C())",
    # ---- what runs by itself while a tool runs ----
    "finalizer": "C = type('C', (), {'__del__': UNBOUND(functools.partial(os.system, ATTACK))})\n"
                 "for _ in range(10):\n    c = C(); c.me = c\ndel c\nallocates()",
    "weak reference": "C = type('C', (), {})\nkept = []\n"
                      "callback = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
                      "for _ in range(10):\n    c = C(); c.me = c; kept.append(weakref.ref(c, callback))\ndel c\nallocates()",
    "weakref.finalize": "C = type('C', (), {})\nkept = []\n"
                        "for _ in range(10):\n    c = C(); c.me = c; kept.append(weakref.finalize(c, os.system, ATTACK))\n"
                        "del c\nallocates()",
    "weak method": "C = type('C', (), {'f': lambda self: 1})\nkept = []\n"
                   "callback = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
                   "for _ in range(10):\n    c = C(); c.me = c; kept.append(weakref.WeakMethod(c.f, callback))\ndel c\nallocates()",
    "finalizer set later": "C = type('C', (), {})\nsetattr(C, '__del__', UNBOUND(functools.partial(os.system, ATTACK)))\n"
                           "for _ in range(10):\n    c = C(); c.me = c\ndel c\nallocates()",
    "finalizer of a library's making": "C = types.new_class('C', (), {}, lambda n: n.update(__del__=UNBOUND(functools.partial(os.system, ATTACK))))\n"
                                       "for _ in range(10):\n    c = C(); c.me = c\ndel c\nallocates()",
    "number that a library's function makes": "counts(type('T', (), {'__int__': functools.singledispatch(ANY(ATTACK))})())",
    "number that a decorated function makes": "cm = contextlib.contextmanager(lambda: (yield))\n"
                                              "counts(type('T', (), {'__int__': staticmethod(cm()(ANY(ATTACK)))})())",
    "number that hides it in an object": "import unittest.mock\nm = unittest.mock.Mock(side_effect=ANY(ATTACK))\n"
                                         "counts(type('T', (), {'__int__': functools.singledispatch(m)})())",
    "weak callback by a library's function": "C = type('C', (), {})\nkept, callback = [], functools.singledispatch(ANY(ATTACK))\n"
                      "for _ in range(10):\n    c = C(); c.me = c; kept.append(weakref.ref(c, callback))\ndel c\nallocates()",
    "collector by a library's function": "gc.callbacks.append(functools.singledispatch(ANY(ATTACK)))\nallocates()",
    "collector by a library's object": "import unittest.mock\n"
                      "gc.callbacks.append(unittest.mock.Mock(side_effect=ANY(ATTACK)))\nallocates()",
    "signal by a library's function": "signal.signal(signal.SIGALRM, functools.singledispatch(ANY(ATTACK)))\n"
                      "signal.setitimer(signal.ITIMER_REAL, 0.01)\nwaits()",
    "fork by a library's function": "cm = contextlib.contextmanager(lambda: (yield))\n"
                      "os.register_at_fork(before=cm()(ANY(ATTACK))); forks()",
    "finalizer of a file": "C = type('C', (io.RawIOBase,), {'close': UNBOUND(ANY(ATTACK))})\nDYING(C)\nallocates()",
    "finalizer of a file's attribute": "def dying():\n    b = io.BytesIO(); b.close = ANY(ATTACK); return b\nDYING(dying)\nallocates()",
    "finalizer of a library's class": "import shelve\n"
                      "DYING(lambda: shelve.Shelf(types.SimpleNamespace(sync=ANY(ATTACK), close=len)))\nallocates()",
    "finalizer that is a library's method": "C = type('C', (contextlib.ExitStack,), {'__del__': contextlib.ExitStack.close})\n"
                      "def dying():\n    c = C(); c.callback(os.system, ATTACK); return c\nDYING(dying)\nallocates()",
    "finalizer of a class above": "A = type('A', (), {}); B = type('B', (A,), {}); DYING(B)\n"
                      "A.__del__ = functools.singledispatch(ANY(ATTACK))\nallocates()",
    "finalizer of other bases": "A = type('A', (), {}); B = type('B', (A,), {}); C = type('C', (B,), {}); DYING(C)\n"
                      "D = type('D', (A,), {'__del__': UNBOUND(ANY(ATTACK))})\n"
                      "functools.update_wrapper(B, types.SimpleNamespace(__bases__=(D,)), assigned=['__bases__'], updated=[])\nallocates()",
    "finalizer of a module that is loaded later": "import asyncio\n"
                      "loop = types.SimpleNamespace(get_debug=lambda: False, call_exception_handler=ANY(ATTACK))\n"
                      "def dying():\n    f = asyncio.Future(loop=loop); f.set_exception(ValueError()); return f\nDYING(dying)\nallocates()",
    "finalizer of a generator": "import concurrent.futures\nmade = []\nclass E(concurrent.futures.Executor):\n    def submit(self, *a):\n"
                      "        made.append(types.SimpleNamespace(result=lambda *a: 1, cancel=lambda: 1)); return made[-1]\n"
                      "def dying():\n    g = E().map(len, 'abc'); next(g); [setattr(o, 'cancel', ANY(ATTACK)) for o in made]; return g\n"
                      "DYING(dying)\nallocates()",
    "buffer given back": "C = type('C', (), {'__buffer__': lambda s, f: memoryview(bytes(5)), '__release_buffer__': UNBOUND(ANY(ATTACK)),"
                      " '__del__': lambda s: None})\n"    # before 3.12 there is no such method
                      "DYING(lambda: memoryview(C())) if sys.version_info >= (3, 12) else os.system(ATTACK)\nallocates()",
    "end of a way that is near as well": "for i in range(6):\n    name = f'last{i}'; kept = getattr(tools.ways, name)\n"
                                         "    setattr(tools.ways, name, ANY(ATTACK))\n    try: by_ways()\n    except PermissionError: pass\n"
                                         "    setattr(tools.ways, name, kept)",
    # ---- what an object takes out of itself before it calls it ----
    "exit stack": "s = contextlib.ExitStack(); s.callback(os.system, ATTACK); enters(s)",
    "exit stacks": "s = contextlib.ExitStack(); s.callback(os.system, ATTACK); closes([s])",
    "exit stack for a number": "T = type('T', (contextlib.ExitStack,), {'__int__': contextlib.ExitStack.close})\n"
                               "t = T(); t.callback(os.system, ATTACK); counts(t)",
    "scheduler": "import sched\ns = sched.scheduler(lambda: 1, lambda x: 1); s.enter(0, 0, os.system, (ATTACK,))\n"
                 "s.close = s.run; closes([s])",
    # ---- what C code asks a class or a codec for ----
    "class of abstract classes": "import abc\nabc.ABCMeta.__instancecheck__ = UNBOUND(ANY(ATTACK))\n"
                                 "try: by_global()\nfinally: del abc.ABCMeta.__instancecheck__",
    "hook of an abstract class": "os.PathLike.__subclasshook__ = UNBOUND(ANY(ATTACK)); by_global()",
    "class of a class": "import abc\nM = type('M', (abc.ABCMeta,), {'__instancecheck__': UNBOUND(ANY(ATTACK))})\n"
                        "functools.update_wrapper(os.PathLike, type('W', (), {'__class__': M})(), assigned=['__class__'], updated=[]); by_global()",
    "class of abstract classes by one that takes itself away": "import abc\ns = contextlib.ExitStack(); s.push(ANY(ATTACK))\n"
        "s.push(lambda *a: delattr(abc.ABCMeta, '__instancecheck__'))\n"
        "s.push(lambda *a: None)  # from 3.12 on the instance, which is no exception, costs the last one its call\n"
        "abc.ABCMeta.__instancecheck__ = UNBOUND(functools.partial(s.__exit__, None)); by_global()",
    "codec": "import codecs\ncodecs.lookup('utf-8').incrementaldecoder = ANY(ATTACK); reads(tools.__file__)",
    "codec that is looked up later": "import codecs\ncodecs.lookup('cp1250').__dict__['incrementaldecoder'] = ANY(ATTACK)\nreads(tools.__file__, 'cp1250')",
    "class of a codec": "import codecs\ncodecs.BufferedIncrementalDecoder.decode = UNBOUND(ANY(ATTACK)); reads(tools.__file__)",
    "property of a codec": "import codecs\ncodecs.CodecInfo._is_text_encoding = property(ANY(ATTACK)); reads(tools.__file__)",
    "class of abstract classes, where the list of classes is emptied":
        "import abc\nfor d in LISTED(dict):\n    if any(type(k) is int and k == id(v) for k, v in list(d.items())): d.clear()\n"
        "abc.ABCMeta.__instancecheck__ = UNBOUND(ANY(ATTACK))\ntry: by_global()\nfinally: del abc.ABCMeta.__instancecheck__",
    "codec, where its copy is changed as well": "import codecs\ninfo, new = codecs.lookup('utf-8'), ANY(ATTACK); old = info.incrementaldecoder\n"
        "for d in LISTED(dict) + [vars(info)]:\n    if d.get('incrementaldecoder') is old: d['incrementaldecoder'] = new\n"
        "with contextlib.suppress(Exception): reads(tools.__file__)",
    "keyword default, where its copy is changed as well": "import inspect\n"
        "inspect.signature(by_keyword_default).parameters['commands'].default[0] = ATTACK\n"
        "for t in LISTED(tuple):\n    if len(t) == 3 and type(t[2]) is tuple and len(t[2]) == 2 and type(t[2][1]) is dict and 'commands' in t[2][1]:\n"
        "        t[2][1]['commands'] = (list, ((None, ATTACK),))\n"
        "by_keyword_default()",
    "collector": "gc.callbacks.append(functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system)))\n"
                 "allocates()",
    "signal": "handler = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
              "signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 0.02); waits()",
    "signal with code": "signal.signal(signal.SIGALRM, lambda *a: os.system(ATTACK))\n"
                        "signal.setitimer(signal.ITIMER_REAL, 0.02); waits()",
    "signal by a library": "s = contextlib.ExitStack(); s.callback(signal.signal, signal.SIGALRM, ANY(ATTACK)); s.close()\n"
                           "signal.setitimer(signal.ITIMER_REAL, 0.02); waits()",
    "signal by a library, a library's function": "s = contextlib.ExitStack()\n"
        "s.callback(signal.signal, signal.SIGALRM, functools.partial(functools.singledispatch(ANY(ATTACK)))); s.close()\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.02); waits()",
    "finalizer by a library's thread": "import concurrent.futures\nthread = concurrent.futures.ThreadPoolExecutor(1)\n"
        "C = thread.submit(type, 'C', (), {'__del__': UNBOUND(functools.partial(os.system, ATTACK))}).result()\n"
        "for _ in range(10):\n    c = C(); c.me = c\ndel c\nallocates()",
    "weak reference by a library's thread": "import concurrent.futures\nthread = concurrent.futures.ThreadPoolExecutor(1)\n"
        "C = type('C', (), {})\nkept = []\n"
        "for _ in range(10):\n    c = C(); c.me = c; kept.append(thread.submit(weakref.ref, c, ANY(ATTACK)).result())\ndel c\nallocates()",
    "proxy by a library's thread": "import concurrent.futures\nthread = concurrent.futures.ThreadPoolExecutor(1)\n"
        "C = type('C', (), {})\nkept = []\n"
        "for _ in range(10):\n    c = C(); c.me = c; kept.append(thread.submit(weakref.proxy, c, ANY(ATTACK)).result())\ndel c\nallocates()",
    "callback before a fork by a library": "s = contextlib.ExitStack(); s.callback(os.register_at_fork, before=ANY(ATTACK)); s.close(); forks()",
    "standard output": "sys.stdout = types.SimpleNamespace(write=functools.partial(os.system, ATTACK), flush=len)\n"
                       "sys.stdout = types.SimpleNamespace(write=lambda t: os.system(ATTACK), flush=lambda: 1)\nby_print()",
    "standard output without code": "w = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
                                    "sys.stdout = types.SimpleNamespace(write=w)\nby_print()",
    "method of standard output": "sys.stdout.write = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
                                 "by_print()",
    "method of standard output, an object": "C = type('C', (), {'__call__': os.system, '__str__': lambda s: ''})\n"
                                            "sys.stdout.write = C()\nshows(ATTACK)",
    # ---- what the interpreter calls by itself while a tool runs ----
    "function behind import": "import builtins; vars(builtins)['__im' + 'port__'] = ANY(ATTACK); by_import()",
    "function behind class": "import builtins; vars(builtins)['__build_' + 'class__'] = ANY(ATTACK); defines_class()",
    "finder of modules": "sys.modules.pop('_strptime', None); sys.meta_path.insert(0, types.SimpleNamespace(find_spec=ANY(ATTACK)))\n"
                         "imports_late()",
    "hook of a path": "sys.modules.pop('_strptime', None); sys.path_hooks.insert(0, ANY(ATTACK)); sys.path_importer_cache.clear()\n"
                      "imports_late()",
    "module that C code loads": "sys.modules['_strptime'] = types.SimpleNamespace(_strptime_time=ANY(ATTACK)); imports_late()",
    "filter of warnings": "import warnings\n"
                          "warnings.filters.insert(0, ('error', types.SimpleNamespace(match=ANY(ATTACK)), Warning, None, 0)); warns()",
    "display of warnings": "import warnings; warnings.simplefilter('always'); warnings.showwarning = ANY(ATTACK); warns()",
    "display of warnings that C code calls": "import warnings; warnings.simplefilter('always'); warnings._showwarnmsg = ANY(ATTACK); warns()",
    "search of encodings": "import codecs, encodings; codecs.unregister(encodings.search_function); codecs.register(ANY(ATTACK))\n"
                           "reads_text()",
    "callback before a fork": "os.register_at_fork(before=ANY(ATTACK)); forks()",
    "hook of generators": "sys.set_asyncgen_hooks(firstiter=ANY(ATTACK)); await iterates()",
    "adapter of values": "import sqlite3; sqlite3.register_adapter(str, ANY(ATTACK)); asks_database()",
    "reducer of values": "import copyreg; copyreg.dispatch_table[map] = ANY(ATTACK); copies(map(len, []))\n"
                         "import decimal; copyreg.dispatch_table[decimal.Context] = ANY(ATTACK); copies(decimal.Context())",
    "PATH behind os.environ": "os.mkdir('bin'); open('bin/sh', 'w').write('#!/bin/sh\\n' + ATTACK); os.chmod('bin/sh', 0o755)\n"
                              "os.environ._data[b'PATH'] = os.path.abspath('bin').encode(); by_global()",
    "PATH in another os.environ": "os.makedirs('bin2'); open('bin2/sh', 'w').write('#!/bin/sh\\n' + ATTACK); os.chmod('bin2/sh', 0o755)\n"
                                  "os.environ = {'PATH': os.path.abspath('bin2')}; by_global()",
    "key of os.environ": "os.environ.encodekey = ANY(ATTACK); by_global()",
    "another task": "import asyncio\nasync def other():\n    await asyncio.sleep(0.02); os.system(ATTACK)\n"
                    "await asyncio.gather(later(), other())",
    "another thread": "import threading\nt = threading.Thread(target=os.system, args=(ATTACK,))\nt.start(); waits(); t.join()",
    "callback of the loop": "import asyncio\nloop = asyncio.get_running_loop()\nt = asyncio.create_task(later())\n"
                            "loop.call_later(0.02, os.system, ATTACK)\nawait t",
    # ---- coroutines and tasks ----
    "coroutine handed over": "import asyncio\nawait awaits(asyncio.create_subprocess_shell(ATTACK)); await asyncio.sleep(0.1)",
    "coroutine in a list": "import asyncio\n"
                           "await spreads_given(*[asyncio.create_subprocess_shell(ATTACK)]); await asyncio.sleep(0.1)",
    "generator of a helper": "for line in runs_all(tools.lines(ATTACK)): pass",
    "coroutine of a helper": "await awaits(tools.work(ATTACK))",
    "coroutine of a helper for a task": "await spreads_given(tools.work(ATTACK), tools.work(ATTACK))",
    "coroutine in a queue for a task": "import asyncio\nq = asyncio.Queue(); q.put_nowait(tools.work(ATTACK)); await takes_work(q)",
    "coroutine that comes later": "import asyncio\nq = asyncio.Queue()\nasync def later():\n    await asyncio.sleep(0.01)\n"
                                  "    q.put_nowait(tools.work(ATTACK))\nawait asyncio.gather(takes_work(q), later())",
    "coroutine of the cell in a task": "async def mine(): os.system(ATTACK)\nawait spreads_given(mine(), mine())",
    "callback in a tool's task": "await calls_in_task(lambda: os.system(ATTACK))",
    "callback that hands on to the loop": "import asyncio\n"
        "await calls_in_task(lambda: asyncio.get_running_loop().call_soon(os.system, ATTACK)); await asyncio.sleep(0.02)",
    "callback that starts a task of a helper": "import asyncio\n"
        "await calls_in_task(lambda: asyncio.ensure_future(tools.work(ATTACK))); await asyncio.sleep(0.05)",
    "context of a tool's task": "import contextvars\nkept = []\nawait calls_in_task(lambda: kept.append(contextvars.copy_context()))\n"
                                "kept[0].run(os.system, ATTACK)",
    "callback when a tool's task is done": "import asyncio\nt = asyncio.ensure_future(spreads()); await asyncio.sleep(0.005)\n"
        "done = functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system))\n"
        "for task in asyncio.all_tasks():\n    task.add_done_callback(done) if task is not asyncio.current_task() else 1\n"
        "await t; await asyncio.sleep(0.01)",
    "factory of tasks": "import asyncio\nloop = asyncio.get_running_loop()\n"
        "loop.set_task_factory(functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system)))\n"
        "t = spreads()\ntry: await t\nfinally: loop.set_task_factory(None)",
    "factory of tasks in another __dict__": "import asyncio\nloop = asyncio.get_running_loop()\n"
        "loop.set_task_factory(functools.partial(print, ATTACK, end='#', file=types.SimpleNamespace(write=os.system)))\n"
        "loop.__dict__ = type('D', (dict,), {})(loop.__dict__)\n"
        "t = spreads()\ntry: await t\nfinally: loop.set_task_factory(None)",
    "factory of tasks that is code": "import asyncio\nloop = asyncio.get_running_loop()\n"
        "loop.set_task_factory(lambda loop, coro, **k: (coro.close(), asyncio.Task(tools.work(ATTACK), loop=loop))[1])\n"
        "try: await spreads()\nfinally: loop.set_task_factory(None)",
    "task made by hand": "import asyncio\nt = asyncio.ensure_future(spreads()); await asyncio.sleep(0.005)\n"
                         "await asyncio.Task(tools.work(ATTACK)); await t",
    "task made anew": "import asyncio\nt = asyncio.ensure_future(spreads()); await asyncio.sleep(0.005)\n"
        "for task in asyncio.all_tasks() - {asyncio.current_task(), t}:\n"
        "    task.__init__(tools.work(ATTACK), loop=asyncio.get_running_loop())\nawait asyncio.sleep(0.1)",
    # ---- policies ----
    "policy replaced": "tools.only_true.words.add(ATTACK); checked(ATTACK)",
    "policy's class": "tools.OnlyTrue.__call__ = lambda *a: None; checked(ATTACK)",
    "path that lies": "import pathlib\nturns = [ATTACK]\n"
                      "pathlib.PurePath.__fspath__ = lambda s: turns.pop() if turns else 'true'\n"
                      "by_path(pathlib.Path('true'))",
    "path that lies, where its copy is changed as well": "import pathlib\nturns, old = [ATTACK], pathlib.PurePath.__fspath__\n"
        "pathlib.PurePath.__fspath__ = lies = lambda s: turns.pop() if turns else 'true'\n"
        "for d in LISTED(dict):\n    if d.get('__fspath__') is old: d['__fspath__'] = lies\n"
        "by_path(pathlib.Path('true'))",
    "path whose text lies": "import pathlib\npathlib.PurePath.__str__ = lambda s: 'true'\n"
                            "pathlib.PurePath.__fspath__ = lambda s: ATTACK\nby_path(pathlib.Path('true'))",
    "text that lies": "T = type('T', (str,), {'__format__': lambda s, f: ATTACK, '__str__': lambda s: ATTACK})\nchecked(T('true'))",
    "text that is equal": "T = type('T', (str,), {'__eq__': lambda s, o: True, '__hash__': lambda s: hash('true')})\n"
                          "checked(T(ATTACK))",
    "object that is equal": "C = type('C', (), {'__eq__': lambda s, o: True, '__hash__': lambda s: hash('true'),"
                            " '__format__': lambda s, f: ATTACK})\nchecked(C())",
    "text of a registered function": "T = type('T', (str,), {'__eq__': lambda s, o: True, '__hash__': lambda s: hash('true')})\n"
                                     "subprocess.getoutput(T(ATTACK))",
    "neighbour of a registered function": "subprocess.getstatusoutput(ATTACK)",
    "registering": "allow(apply); tools.allow(helper)\nfrom safepyrun import _guard\n_guard.register_tool('f', os.system, 'function',"
                   " None, None, None); os.system(ATTACK)",
}


class Place:
    def __init__(self, folder):
        self.trace = folder / "outside" / "trace"
        self.trace.parent.mkdir()
        (folder / "here").mkdir()
        self.folder = folder
        shutil.copy(TOOLS, folder / "tools.py")

    def cell(self, text):
        attack = f"touch {self.trace}"
        return f"ATTACK = {attack!r}\n" + text.replace("ATTACK_TEXT", repr(attack))

    def run(self, text):
        """Under the guard: did it leave its trace?"""
        policy = f'os_ring = "off"\nban_defs = false\n[setup]\nfiles = ["{self.folder / "tools.py"}"]\n'
        with Guard(cwd=self.folder / "here", policy_file=policy) as guard:
            assert guard.execute(PRELUDE, TIMEOUT_SECONDS).error is None
            guard.execute(self.cell(text), TIMEOUT_SECONDS)
            guard.execute("1", TIMEOUT_SECONDS)
        return self.trace.exists()


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory):
    """Which attacks work where nobody is guarded."""
    place = Place(tmp_path_factory.mktemp("unguarded"))
    cells = {name: PRELUDE + place.cell(text) for name, text in ATTACKS.items()}
    done = subprocess.run([sys.executable, "-P", pathlib.Path(__file__).with_name("run_unguarded.py"), LIBRARY, place.folder],
                          input=json.dumps({"trace": str(place.trace), "cells": cells}), capture_output=True, text=True,
                          cwd=place.folder / "here", timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_on_a_tool(name, unguarded, tmp_path):
    assert unguarded[name], "the attack does nothing, even where nobody is guarded"
    assert not Place(tmp_path).run(ATTACKS[name]), "a cell got a tool's rights"


def test_libraries_may_register_built_in_functions_for_forks(tmp_path):
    """As matplotlib does when its fonts are imported; a tool that forks does not lend them its rights (above)."""
    place = Place(tmp_path)
    policy = f'os_ring = "off"\n[setup]\nfiles = ["{tmp_path / "tools.py"}"]\n'
    with Guard(cwd=tmp_path / "here", policy_file=policy) as guard:
        outcome = guard.execute("import functools, os\nos.register_at_fork(after_in_child=functools.lru_cache(len).cache_clear)\n"
                                "forks()", TIMEOUT_SECONDS)
        assert outcome.error is None, outcome.reply
    assert not place.trace.exists()


def test_a_generator_that_is_thrown_away_ends_with_its_rights(tmp_path):
    place = Place(tmp_path)
    assert place.run(f"steps = ends_later({str(place.trace)!r}); next(steps); del steps")


def test_tools_keep_their_rights_beside_new_codecs_and_classes(tmp_path):
    place = Place(tmp_path)
    assert place.run("import codecs, enum, abc\ncodecs.lookup('koi8-r'); E = enum.Enum('E', 'A B')\n"
                     "abc.ABCMeta.mine = lambda self: 1\n"
                     f"reads(tools.__file__, 'cp1250'); next(ends_later({str(place.trace)!r}))")


def test_functions_of_libraries_that_a_tool_names_may_hold_built_in_ones(tmp_path):
    place = Place(tmp_path)
    place.trace.mkdir()
    (place.trace / "file").touch()
    place.run(f"import pathlib\nremoves([pathlib.Path({str(place.trace)!r})])")
    assert not place.trace.exists()
