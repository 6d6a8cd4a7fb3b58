"""What a guard is asked to run, and the unit of each figure.

The code of a cell has neither def nor import: every guard here takes it, and what it needs is in the
namespace. Counts are large, so that the fixed cost of a call disappears in the loop. Shared by
guards.py and guard_worker.py, which has no packages but the guard's.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    part: str  # all rows of a part come from one process
    compared: str = "ratio"  # "ratio" to the row of no guard, "added" to it, or "" as it is
    code: str = ""
    count: int = 1  # the figure is the time divided by this


PARTS = ("calls", "work", "pandas")
ROWS = (
    Row("start", "import the guard, run the first `1+1`", "ms", "calls", ""),
    Row("call", "one call of `1+1`", "µs", "calls", ""),
    Row(
        "event",
        "an audited event that passes (`id`)",
        "ns",
        "work",
        "added",
        "for i in range(100000):\n    id(i)\n",
        100_000,
    ),
    Row(
        "open",
        "open a file for reading and close it",
        "ns",
        "work",
        "ratio",
        "for i in range(3000):\n    open(path).close()\n",
        3000,
    ),
    Row(
        "native",
        "a call of `math.sqrt` in the cell",
        "ns",
        "work",
        "added",
        "for i in range(200000):\n    sqrt(i)\n",
        200_000,
    ),
    Row(
        "method",
        "a call of `str.upper` in the cell",
        "ns",
        "work",
        "added",
        "for i in range(200000):\n    word.upper()\n",
        200_000,
    ),
    Row(
        "loop",
        "arithmetic in a loop of the cell",
        "ns",
        "work",
        "ratio",
        "x = 1.0\nfor i in range(300000):\n    x = x * 1.0000001 + i - i\n",
        300_000,
    ),
    Row("json", "library code: json", "ms", "work", "ratio", "for i in range(10):\n    loads(dumps(data))\n"),
    Row("difflib", "library code: difflib", "ms", "work", "ratio", "for i in range(3):\n    ratio_of(words)\n"),
    Row("regex", "library code: re", "ms", "work", "ratio", "for i in range(10):\n    pattern.findall(text)\n"),
    Row("pandas", "import pandas", "ms", "pandas", "ratio"),
)
