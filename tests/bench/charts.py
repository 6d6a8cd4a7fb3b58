"""Pictures of a recorded run, each for light and for dark pages, as PNG and SVG.

Everything that is shown comes from results.json. Each SVG carries a digest of what it was drawn from, so that a test can
tell whether the pictures in docs/bench are those of the recorded run. What is not here: measuring.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import report

OUT = Path(__file__).resolve().parents[2] / "docs/bench"
THEMES = {
    "light": {"surface": "#ffffff", "ink": "#1f2328", "muted": "#656d76", "bar": "#c4cad1", "ours": "#0969da"},
    "dark": {"surface": "#0d1117", "ink": "#e6edf3", "muted": "#8d96a0", "bar": "#484f58", "ours": "#4493f8"},
}
#: the rows of the first picture: what a person waits for, and what it takes
SHOWN = ("first_result", "one", "cells", "pss_used")


def picked(results: dict) -> list[dict]:
    return [row for key in SHOWN for row in results["rows"] if row["key"] == key]


def digest(drawn: object) -> str:
    return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:16]


def pictures(results: dict) -> dict[str, object]:
    """Name -> what it is drawn from; a part that was never measured has no picture."""
    found: dict[str, object] = {"kernels": [results["peers"], picked(results)]}
    if "growth" in results:
        found["growth"] = results["growth"]["curves"]
    return found


def style(axes, theme: dict) -> None:
    axes.set_facecolor(theme["surface"])
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=theme["muted"], length=0, labelsize=8)


def draw_bars(axes, row: dict, peers: dict, with_names: bool, theme: dict) -> None:
    names = list(peers)[::-1]
    values = [row["cells"][name].get("median", 0) for name in names]
    ours = [name.startswith("safepyrun") for name in names]
    axes.barh(range(len(names)), values, height=0.62, color=[theme["ours"] if mine else theme["bar"] for mine in ours])
    for place, (value, name) in enumerate(zip(values, names)):
        text = report.number(value) if value else "–"
        axes.text(value + max(values) * 0.02, place, text, va="center", fontsize=8, color=theme["ink"])
    axes.set_yticks(range(len(names)), [peers[name]["title"] for name in names] if with_names else [""] * len(names))
    for label, mine in zip(axes.get_yticklabels(), ours):
        label.set_color(theme["ink"] if mine else theme["muted"])
    axes.set_xticks([])
    axes.set_xlim(0, max(values) * 1.22)
    direction = "more is better" if row["more_is_better"] else "less is better"
    axes.set_title(f"{row['title'].replace('`', '')}, {row['unit']}\n", loc="left", fontsize=9, color=theme["ink"])
    axes.text(0, 1.02, direction, transform=axes.transAxes, fontsize=7.5, color=theme["muted"])
    style(axes, theme)


def draw_kernels(figures, drawn, theme: dict):
    peers, rows = drawn
    figure, all_axes = figures.subplots(1, len(rows), figsize=(11, 2.9), layout="constrained")
    for place, (axes, row) in enumerate(zip(all_axes, rows)):
        draw_bars(axes, row, peers, place == 0, theme)
    return figure


def draw_curve(axes, curve: dict, theme: dict) -> None:
    sizes, values = zip(*curve["points"]) if curve["points"] else ((), ())
    axes.plot(sizes, values, color=theme["ours"], linewidth=1.8, marker="o", markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    steep = "–" if curve["slope"] is None else f"{curve['slope']:.2f}"
    axes.set_title(f"{curve['title']}: slope {steep}", loc="left", fontsize=9, color=theme["ink"])
    axes.set_ylabel(curve["unit"], fontsize=8, color=theme["muted"])
    axes.grid(True, which="major", color=theme["bar"], linewidth=0.4, alpha=0.6)
    style(axes, theme)


def draw_growth(figures, curves: dict, theme: dict):
    columns = 4
    lines = -(-len(curves) // columns)
    figure, grid = figures.subplots(lines, columns, figsize=(11, 2.5 * lines), layout="constrained", squeeze=False)
    flat = [axes for line in grid for axes in line]
    for axes, curve in zip(flat, curves.values()):
        draw_curve(axes, curve, theme)
    for axes in flat[len(curves):]:
        axes.set_visible(False)
    return figure


DRAW = {"kernels": draw_kernels, "growth": draw_growth}


def write(results: dict, folder: Path = OUT) -> list[Path]:
    """The files that were made."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "safepyrun"  # the same file from the same figures
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, drawn in pictures(results).items():
        for theme_name, theme in THEMES.items():
            figure = DRAW[name](pyplot, drawn, theme)
            figure.set_facecolor(theme["surface"])
            base = folder / f"{name}-{theme_name}"
            figure.savefig(base.with_suffix(".png"), dpi=160)
            figure.savefig(base.with_suffix(".svg"), metadata={"Date": None, "Description": digest(drawn)})
            pyplot.close(figure)
            made += [base.with_suffix(".png"), base.with_suffix(".svg")]
    return made


def stale(results: dict, folder: Path = OUT) -> list[str]:
    """The pictures that are missing or were drawn from something else."""
    found = []
    for name, drawn in pictures(results).items():
        for theme in THEMES:
            file = folder / f"{name}-{theme}.svg"
            if not file.exists() or digest(drawn) not in file.read_text() or not file.with_suffix(".png").exists():
                found.append(file.name)
    return found
