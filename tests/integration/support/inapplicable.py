"""A pytest plugin: leaves out the tests of a foreign suite that cannot apply to a guarded kernel.

The description is a text file, one thing per line:

    package ipykernel               the source distribution
    module tests/test_async.py      a test module of it that runs
    without test_name | reason      a test that is left out; a name in brackets narrows it to one parameter

A line that fits no test is an error, so that the table cannot outlive what it describes.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Suite:
    package: str = ""
    modules: list = field(default_factory=list)
    without: dict = field(default_factory=dict)


def pytest_addoption(parser):
    """ipykernel's tests of subshells ask for this option of pytest-cov."""
    parser.addoption("--cov", default=None)


def read_suite(path):
    suite = Suite()
    for line in Path(path).read_text().splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "package":
            suite.package = rest.strip()
        elif word == "module":
            suite.modules.append(rest.strip())
        elif word == "without":
            name, _, reason = rest.partition("|")
            suite.without[name.strip()] = reason.strip()
        elif word and not word.startswith("#"):
            raise ValueError(f"{path}: {line}")
    return suite


def _names(item):
    """How the table may call a test: by function, by function and parameter, with or without its class."""
    name, function = item.name, item.name.partition("[")[0]
    names = {name, function}
    if item.cls is not None:
        names |= {f"{item.cls.__name__}.{each}" for each in names} | {item.cls.__name__}
    return names


def pytest_collection_modifyitems(config, items):
    without = read_suite(os.environ["FOREIGN_SUITE"]).without
    left_out = [item for item in items if _names(item) & without.keys()]
    unused = without.keys() - {name for item in left_out for name in _names(item)}
    # A run that was narrowed with -k or to one module cannot tell.
    if unused and not config.option.keyword:
        raise pytest.UsageError(f"no such tests any more: {sorted(unused)}")
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
