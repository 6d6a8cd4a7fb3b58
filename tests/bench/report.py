"""From results.json to Markdown, and into the README between its markers.

Only this turns figures into text, and it reads nothing but the JSON: the README's table can be made
again, and checked, from the recorded run. What is not here: measuring.
"""

from __future__ import annotations

import json
from pathlib import Path

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
GUARDS_BEGIN, GUARDS_END = "<!-- bench:guards:begin -->", "<!-- bench:guards:end -->"
#: further tables, each with markers of its own in the README; one that was never measured leaves them empty
SECTIONS = {
    "templates": "Warm templates",
    "rings": "What the OS ring and frozen copies cost",
    "runs": "Runs without Jupyter",
    "floors": "Floors",
}
RECORDED = Path(__file__).parent / "results.json"


def number(value: float) -> str:
    """Three digits are all that a benchmark on a shared machine can promise."""
    for bound, digits in ((100, 0), (10, 1), (1, 2)):
        if value >= bound:
            return f"{value:,.{digits}f}"
    return f"{value:.2g}" if value else "0"


def cell_text(cell: dict) -> str:
    if "median" not in cell:
        return (
            cell["reason"]
            .replace("nothing in", "no answer in")
            .replace("|", "\\|")
            .splitlines()[0][:60]
        )
    text = number(cell["median"])
    if cell["n"] > 1:
        text += f" ({number(cell['low'])}–{number(cell['high'])})"
    if "reason" in cell:
        text += " *"
    return text


def best(row: dict) -> str | None:
    """The kernel that comes first in this row."""
    medians = {peer: cell["median"] for peer, cell in row["cells"].items() if "median" in cell}
    if len(medians) < 2 or row["unit"] == "messages":
        return None
    return (max if row["more_is_better"] else min)(medians, key=lambda peer: medians[peer])


def table(results: dict, everything: bool) -> str:
    peers = results["peers"]
    rows = [row for row in results["rows"] if everything or row["in_readme"]]
    lines = [
        "| | " + " | ".join(peer["title"] for peer in peers.values()) + " |",
        "|---" + "|---:" * len(peers) + "|",
    ]
    for row in rows:
        first = best(row)
        texts = [
            (
                f"**{cell_text(row['cells'][name])}**"
                if name == first
                else cell_text(row["cells"][name])
            )
            for name in peers
        ]
        lines.append(f"| {row['title']}, {row['unit']} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def caption(results: dict) -> str:
    machine = results["machine"]
    counts = {
        key: next(
            (
                cell["n"]
                for row in results["rows"]
                if row["key"] == key
                for cell in row["cells"].values()
                if "n" in cell
            ),
            0,
        )
        for key in ("kernel_info", "pss_idle", "pass")
    }
    quick = " A quick run: orders of magnitude only." if results["quick"] else ""
    return (
        f"{results['started'][:10]}, {machine['cores']} cores of {machine['cpu']}, "
        f"Linux {machine['linux']}, Python {machine['python']}, load {results['load'][0]:.1f} "
        f"before and {results['load'][1]:.1f} after; all kernels in one run, in turn. Median "
        f"(lowest–highest) of {counts['kernel_info']} starts and {counts['pss_idle']} sessions; "
        f"round trips: median (5th–99th percentile) of {counts['pass']:,}.{quick}"
    )


MADE_BY = "Made by `tests/bench/run`, written here by `tests/bench/readme_table`."


def readme_text(results: dict) -> str:
    return "\n\n".join((table(results, everything=False), caption(results), MADE_BY))


def guard_text(row: dict, name: str) -> str:
    """A guard's figure as the row compares it: beside the same work without a guard."""
    cell, plain = row["cells"][name], row["cells"]["plain"]
    if "median" not in cell:
        return cell["reason"].split(":")[0].replace("|", "\\|")[:40]
    if name == "plain" or not row["compared"] or "median" not in plain:
        return number(cell["median"])
    if row["compared"] == "added":
        return f"{cell['median'] - plain['median']:+,.0f}"
    return f"×{cell['median'] / plain['median']:.2f}"


def guards_table(guards: dict) -> str:
    names = list(guards["guards"])
    lines = [
        "| | " + " | ".join(guards["guards"][name]["title"] for name in names) + " |",
        "|---" + "|---:" * len(names) + "|",
    ]
    for row in guards["rows"]:
        texts = [guard_text(row, name) for name in names]
        lines.append(f"| {row['title']}, {row['unit']} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def guards_text(results: dict) -> str:
    guards = results["guards"]
    caption = (
        f"Python {guards['python']}; CPU time, best of five in a process, median of {guards['rounds']} "
        "processes in turn. × and + compare with the same work without a guard."
        + (" \\*: in another thread or process, wall time." if "monty" in guards["guards"] else "")
    )
    return "\n\n".join((guards_table(guards), caption, MADE_BY))


def markers(name: str) -> tuple[str, str]:
    return f"<!-- bench:{name}:begin -->", f"<!-- bench:{name}:end -->"


def section_table(section: dict) -> str:
    columns = section["columns"]
    lines = [
        "| | " + " | ".join(column["title"] for column in columns.values()) + " |",
        "|---" + "|---:" * len(columns) + "|",
    ]
    for row in section["rows"]:
        lines.append(f"| {row['title']}, {row['unit']} | " + " | ".join(cell_text(row["cells"][name]) for name in columns) + " |")
    return "\n".join(lines)


def section_text(results: dict, name: str) -> str:
    section = results.get(name)
    return "\n\n".join((section_table(section), section["caption"], MADE_BY)) if section else ""


def titled_text(results: dict, name: str) -> str:
    return f"{SECTIONS[name]}:\n\n{section_text(results, name)}" if name in results else ""


def growth_table(growth: dict) -> str:
    lines = ["| what grows | from | to | slope |", "|---|---:|---:|---:|"]
    for curve in growth["curves"].values():
        points, unit = curve["points"], curve["unit"]
        ends = [f"{size:,}: {number(value)} {unit}" for size, value in points[:1] + points[-1:]] if points else ["–", "–"]
        slope = "–" if curve["slope"] is None else f"{curve['slope']:.2f}"
        lines.append(f"| {curve['title']} | {ends[0]} | {ends[-1]} | {slope} |")
    return "\n".join(lines)


def further_pages(results: dict) -> list[str]:
    parts = []
    for name, title in SECTIONS.items():
        if name in results:
            parts += [f"# {title}", section_text(results, name)]
    if "growth" in results:
        parts += ["# Growth", growth_table(results["growth"])]
    return parts


def kernels_page(results: dict) -> list[str]:
    versions = "\n".join(
        f"- {peer['title']}: "
        + ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
        for peer in results["peers"].values()
    )
    return [
        "# Kernels side by side",
        table(results, everything=True),
        caption(results),
        "## Versions",
        versions,
    ]


def missing_figures(titles: dict, rows: list[dict]) -> list[str]:
    return [
        f"- {titles[name]['title']}, {row['title']}: {cell['reason']}"
        for row in rows
        for name, cell in row["cells"].items()
        if "reason" in cell
    ]


def markdown(results: dict) -> str:
    """The whole run as a page: every row, all versions, and each reason why a figure is missing."""
    parts: list[str] = []
    reasons: list[str] = []
    if "peers" in results:
        parts += kernels_page(results)
        reasons += missing_figures(results["peers"], results["rows"])
    if "guards" in results:
        guards = results["guards"]
        parts += ["# Guards side by side", guards_text(results)]
        reasons += missing_figures(guards["guards"], guards["rows"])
    parts += further_pages(results)
    for name in SECTIONS:
        if name in results:
            reasons += missing_figures(results[name]["columns"], results[name]["rows"])
    if reasons:
        parts += ["## Without a figure, or with fewer samples (*)", "\n".join(reasons)]
    return "\n\n".join(parts) + "\n"


def between_markers(readme: str, begin: str, end: str) -> tuple[int, int]:
    """Where a table goes; ValueError unless both markers are there, once and in order."""
    if readme.count(begin) != 1 or readme.count(end) != 1 or readme.index(begin) > readme.index(end):
        raise ValueError(f"the README needs {begin} and, below it, {end}, once each")
    return readme.index(begin) + len(begin), readme.index(end)


def with_tables(readme: str, results: dict) -> str:
    texts = [(BEGIN, END, readme_text), (GUARDS_BEGIN, GUARDS_END, guards_text)]
    texts += [(*markers(name), lambda results, name=name: titled_text(results, name)) for name in ("templates", "rings", "runs")]
    for begin, end, text in texts:
        after, before = between_markers(readme, begin, end)
        readme = f"{readme[:after]}\n{text(results)}\n{readme[before:]}"
    return readme


def load(path: Path = RECORDED) -> dict:
    return json.loads(path.read_text())
