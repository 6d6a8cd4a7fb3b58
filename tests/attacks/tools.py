"""The set-up file of test_tools.py: tools of every kind that cells then try to turn against their host."""

import contextlib
import functools
import json
import logging
import os
import re
import shutil
import subprocess
import types

from safepyrun import AllowPolicy, allow

COMMAND = "true"
COMMANDS = ["true"]
settings = types.SimpleNamespace(command="true")


log = logging.getLogger("tools")


class Settings:
    command = "true"


def helper():
    return "true"


@allow
def by_global():
    subprocess.run(["sh", "-c", COMMAND])


@allow
def by_list():
    for command in COMMANDS:
        subprocess.run(["sh", "-c", command])


@allow
def by_setting():
    subprocess.run(["sh", "-c", settings.command])
    subprocess.run(["sh", "-c", Settings.command])


@allow
def by_log(word):
    log.warning(log.name and word)
    logging.warning(word)


@allow
def by_helper_that_chooses(value):
    return chooses(value)


@allow
def by_json(text):
    return json.loads(text)


@allow
def by_pattern(word):
    if re.fullmatch("[a-z]+", word):
        subprocess.run(["sh", "-c", word])


@functools.singledispatch
def chooses(value):
    return None


class Chosen:
    def __init__(self):
        self.command = "true"


chosen = Chosen()


@allow
def by_chosen():
    subprocess.run(["sh", "-c", chosen.command])


@allow
def by_helper():
    subprocess.run(["sh", "-c", helper()])


class Wrapping:
    word = "true"

    @staticmethod
    def text():
        return "true"

    @property
    def name(self):
        return "true"


wrapping = Wrapping()
starts_true = functools.partial(subprocess.run, ["sh", "-c", "true"])


@allow
def by_static_method():
    subprocess.run(["sh", "-c", Wrapping.text()])


@allow
def by_property():
    subprocess.run(["sh", "-c", wrapping.name])


@allow
def by_class_of_settings():
    subprocess.run(["sh", "-c", wrapping.word])


@allow
def by_partial():
    starts_true()


@allow
def by_default(command="true"):
    subprocess.run(["sh", "-c", "true" if command is None else command])


@allow
def by_keyword_default(*, commands=["true"]):
    subprocess.run(["sh", "-c", commands[0]])


@allow
def counts(count):
    subprocess.run(["true", f"-{int(count)}"])


@allow
def reads(path, encoding="utf-8"):
    subprocess.run(["true"])
    with open(path, encoding=encoding) as file:
        return file.read()


# Of each pair one function is at the end of a long way as well as near.
ways = types.ModuleType("ways")
for i in range(6):
    steps = [f"step{i}_{k}" for k in range(5)] + [f"near{i}", f"leaf{i}", f"last{i}"]
    exec(f"def last{i}(): pass\ndef via{i}(): near{i}()\n" + "".join(f"def {one}(): {other}()\n" for one, other in zip(steps, steps[1:])), vars(ways))


@allow
def by_ways():
    ways.step0_0(), ways.step1_0(), ways.step2_0(), ways.step3_0(), ways.step4_0(), ways.step5_0()
    ways.via0(), ways.via1(), ways.via2(), ways.via3(), ways.via4(), ways.via5()


@allow
def closes(things):
    for thing in things:
        thing.close()


@allow
def enters(thing):
    with thing:
        pass


@allow
def removes(folders):
    for folder in folders:
        shutil.rmtree(folder)


@allow
def by_import():
    import colorsys
    colorsys.rgb_to_hsv(0, 0, 0)


@allow
def by_print():
    print("true", end="")


@allow
def shows(text):
    print(text, end="")


def maker(command):
    def made():
        subprocess.run(["sh", "-c", command])
    return made


made = allow(maker("true"))


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@allow
@decorator
def decorated():
    subprocess.run(["true"])


@decorator
def only_decorated(command):
    subprocess.run(["sh", "-c", command])


@allow
@contextlib.contextmanager
def managed():
    subprocess.run(["true"])
    yield


@contextlib.contextmanager
def unmanaged(command):
    subprocess.run(["sh", "-c", command])
    yield


class Base:
    def command(self):
        return "true"

    def run(self):
        subprocess.run(["sh", "-c", self.command()])


allow(Base.run)
base = Base()


@allow
def apply(function, *arguments):
    return function(*arguments)


@allow
def consume(iterable):
    return list(iterable)


@allow
def order(items, key):
    return sorted(items, key=key)


@allow
def text_of(value):
    return str(value)


@allow
def length_of(value):
    return len(value)


@allow
def write_to(file):
    return file.write("x")


@allow
def look_up(table, name):
    return table[name]


@allow
def dump(value, default=None):
    return json.dumps(value, default=default)


@allow
def waits():
    for _ in range(3):
        subprocess.run(["sleep", "0.05"])


@allow
def ends_later(path):
    try:
        yield 1
    finally:
        subprocess.run(["touch", path])


@allow
def allocates():
    kept = []
    for _ in range(100000):
        kept.append([])


@allow
async def later():
    import asyncio
    await asyncio.sleep(0.05)
    subprocess.run(["true"])


async def work(command="true"):
    import asyncio
    await asyncio.sleep(0.02)
    subprocess.run(["sh", "-c", command])


@allow
async def spreads():
    import asyncio
    await asyncio.gather(work(), work())


@allow
async def awaits(given):
    await given


@allow
async def spreads_given(*given):
    import asyncio
    await asyncio.gather(*given)


@allow
async def takes_work(queue):
    import asyncio
    await asyncio.create_task(await queue.get())


def lines(command):
    yield subprocess.run(["sh", "-c", command])


@allow
def runs_all(given):
    return list(given)


@allow
async def calls_in_task(function):
    import asyncio

    async def call():
        await asyncio.sleep(0)
        function()
    await asyncio.create_task(call())


@allow
def reads_text():
    return subprocess.run(["echo", "x"], stdout=subprocess.PIPE, text=True).stdout


@allow
def imports_late():
    import time
    return time.strptime("2020", "%Y")


@allow
def defines_class():
    class Local:
        pass
    return Local


@allow
def warns():
    import warnings
    warnings.warn("x")


@allow
def forks():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


async def numbers():
    yield 1


@allow
async def iterates():
    async for number in numbers():
        subprocess.run(["true"])


@allow
def asks_database():
    import sqlite3
    return sqlite3.connect(":memory:").execute("select ?", ("x",)).fetchall()


@allow
def copies(value):
    import copy
    return copy.copy(value)


class OnlyTrue(AllowPolicy):
    def __init__(self, words):
        self.words = set(words)

    def __call__(self, obj, args, kwargs, data):
        if args[0] not in self.words:
            raise PermissionError(f"not {args[0]!r}")


only_true = OnlyTrue(["true"])


def by_path(path):
    subprocess.run(["sh", "-c", os.fspath(path)])


def only_the_path_true(obj, args, kwargs, data):
    if str(args[0]) != "true":
        raise PermissionError(f"not {args[0]}")


def checked(command):
    subprocess.run(["sh", "-c", f"{command}"])


allow({checked: only_true})
allow({by_path: only_the_path_true})
allow("subprocess.getoutput", allow_policy=only_true)
