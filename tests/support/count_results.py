"""Adds up the JUnit reports of tests/run and prints the last line that it promises.

    count_results.py DIRECTORY PART...

A report of CTest carries the TAP output of each cmocka program: its cases are counted, not the
program. A program that stopped before its plan was through has failed once for each case that is
missing. A part that left no report counts as one failure.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

TAP_PLAN = re.compile(r"^1\.\.(\d+)\s*$", re.M)
TAP_CASE = re.compile(r"^(not )?ok \d+(.*)$", re.M)


def count_tap(text: str) -> Counter:
    counts = Counter()
    for failed, rest in TAP_CASE.findall(text):
        # cmocka 1.1.7 writes "not ok 3 # SKIP name"
        outcome = "skipped" if "# SKIP" in rest else "failed" if failed else "passed"
        counts[outcome] += 1
    planned = sum(int(number) for number in TAP_PLAN.findall(text))
    counts["failed"] += max(0, planned - counts.total())
    return counts


def count_case(case: ElementTree.Element) -> Counter:
    """One <testcase>: of pytest, or of CTest with what the program wrote."""
    failed = case.find("failure") is not None or case.find("error") is not None
    failed = failed or case.get("status") == "fail"
    cases = count_tap(case.findtext("system-out") or "") if case.get("status") else Counter()
    if cases.total() == 0:
        skipped = case.find("skipped") is not None
        return Counter(["failed" if failed else "skipped" if skipped else "passed"])
    if failed and cases["failed"] == 0:     # all cases passed, then the program died
        cases["failed"] += 1
    return cases


def count_part(directory: Path, part: str) -> Counter:
    counts = Counter()
    for report in sorted(directory.glob(f"{part}*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            counts += count_case(case)
    return counts or Counter(failed=1)


def line(counts: Counter) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))


def main(directory: str, *parts: str) -> int:
    total = Counter()
    for part in parts:
        counts = count_part(Path(directory), part)
        print(f"{part:12} {line(counts)}")
        total += counts
    print(line(total))
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
