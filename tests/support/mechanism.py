"""The mechanisms of escape, as they stand in mechanisms/families/<family>.py.

An entry begins with `# %% its name`, and what is behind the name says what it does. Lines `# key: value` below that are
read here; `# --` begins a further cell. A cell finds the names of Surroundings.names, and what the lines of the family
before its first entry make.

    shell    plain (the default) or ipython
    needs    packages that it is about
    python   the first version that has what it is about
    sqlite   the last version of SQLite that does it
    ncurses  the last version of ncurses that does it
    effect   guard: what it does is to end the guard
    baseline hook: the ten lines of seed 004 instead of no guard, for what only means something under one
    by       why nothing is on record: what holds it is no refusal
    only     os ring: native code of a package does it, below what the interpreter ring can see
"""

import pathlib
import re

FOLDER = pathlib.Path(__file__).parents[1] / "mechanisms/families"
KEYS = {"shell": "plain", "needs": "", "python": "3.11", "sqlite": "", "ncurses": "", "effect": "", "baseline": "open", "by": "", "only": ""}
OPTION = re.compile(rf"^# ({'|'.join(KEYS)}): *(.*)\n", re.M)


class Mechanism:
    def __init__(self, family, setting, text):
        title, _, body = text.partition("\n")
        self.name = f"{family}/{title.split(' — ')[0].strip().replace(' ', '-')}"
        self.words = {**KEYS, **dict(OPTION.findall(body))}
        self.setting = setting
        self.cells = re.split(r"^# --.*\n", OPTION.sub("", body), flags=re.M)

    def __getattr__(self, name):
        try:
            return self.words[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def version(self):
        return tuple(map(int, self.python.split(".")))


def read_family(path):
    setting, *entries = re.split(r"^# %% ", path.read_text(), flags=re.M)
    return [Mechanism(path.stem, setting, entry) for entry in entries]


def read_all():
    return [mechanism for path in sorted(FOLDER.glob("*.py")) for mechanism in read_family(path)]
