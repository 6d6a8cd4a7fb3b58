"""From results.json to Markdown, and into the README between its two markers.

Only this turns figures into text, and it reads nothing but the JSON: the README's table can be made
again, and checked, from the recorded run. What is not here: measuring.
"""

from __future__ import annotations

import json
from pathlib import Path

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
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


def readme_text(results: dict) -> str:
    made_by = "Made by `tests/bench/run`, written here by `tests/bench/readme_table`."
    return "\n\n".join((table(results, everything=False), caption(results), made_by))


def markdown(results: dict) -> str:
    """The whole run as a page: every row, all versions, and each reason why a figure is missing."""
    parts = [
        "# Kernels side by side",
        table(results, everything=True),
        caption(results),
        "## Versions",
    ]
    parts.append(
        "\n".join(
            f"- {peer['title']}: "
            + ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
            for peer in results["peers"].values()
        )
    )
    reasons = [
        f"- {results['peers'][name]['title']}, {row['title']}: {cell['reason']}"
        for row in results["rows"]
        for name, cell in row["cells"].items()
        if "reason" in cell
    ]
    if reasons:
        parts += ["## Without a figure, or with fewer samples (*)", "\n".join(reasons)]
    return "\n\n".join(parts) + "\n"


def between_markers(readme: str) -> tuple[int, int]:
    """Where the table goes; ValueError unless both markers are there, once and in order."""
    if (
        readme.count(BEGIN) != 1
        or readme.count(END) != 1
        or readme.index(BEGIN) > readme.index(END)
    ):
        raise ValueError(f"the README needs {BEGIN} and, below it, {END}, once each")
    return readme.index(BEGIN) + len(BEGIN), readme.index(END)


def with_table(readme: str, results: dict) -> str:
    begin, end = between_markers(readme)
    return f"{readme[:begin]}\n{readme_text(results)}\n{readme[end:]}"


def load(path: Path = RECORDED) -> dict:
    return json.loads(path.read_text())
