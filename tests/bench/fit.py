"""The slope of a growth curve; apart from the measuring, which needs the client's packages."""

from __future__ import annotations

import math


def slope(points: list[tuple[float, float]]) -> float | None:
    """Of a straight line through the logarithms, by least squares."""
    logs = [(math.log(size), math.log(value)) for size, value in points if value > 0]
    if len(logs) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return round(sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread, 2)
