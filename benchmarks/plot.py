"""Draws `results.json` as an SVG of bars on a logarithmic scale: `python benchmarks/plot.py [RESULTS] [SVG]`."""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path

from run import FLOOR, HERE, OURS, SUITES, median, shown

DRAWN = {"cold": "ms", "call": "µs", "stream-10000": "µs", "paced-256": "µs"}
LABEL, BAR, ROW, GAP = 170, 470, 20, 46
COLOURS = {OURS: "#1b7f5c", FLOOR: "#8a8f98"}
FONT = 'font-family="system-ui, sans-serif"'


def panel(suite: str, unit: str, results: dict[str, list[dict[str, float]]], top: int) -> tuple[list[str], int]:
    """One chart, and the position of the next one."""
    title, key = SUITES[suite]
    values = {name: value for name, found in results.items() if (value := median(found, key)) is not None}
    values = {name: value for name, value in values.items() if name not in ("json.loads", "raw socket")}
    if not values:
        return [], top
    low = 10 ** math.floor(math.log10(min(values.values())) - 0.3)
    span = math.log10(max(values.values()) / low)
    what = "p99 delay" if "p99" in key else "delay" if "lag" in key else "CPU"
    heading = escape(f"{title}: {what}, {unit} (logarithmic)")
    drawn = [f'<text x="0" y="{top}" {FONT} font-size="14" font-weight="600">{heading}</text>']
    for row, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        y = top + 12 + row * ROW
        width = BAR * math.log10(value / low) / span
        colour = next((colour for start, colour in COLOURS.items() if name.startswith(start)), "#c9a227")
        drawn.append(f'<text x="{LABEL - 8}" y="{y + 13}" {FONT} font-size="12" text-anchor="end">{escape(name)}</text>')
        drawn.append(f'<rect x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{ROW - 5}" fill="{colour}"/>')
        drawn.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 13}" {FONT} font-size="12">{shown(value)}</text>')
    return drawn, top + 12 + len(values) * ROW + GAP


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results.json"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE.parent / "docs" / "performance.svg"
    results = json.loads(source.read_text(encoding="utf-8"))["results"]
    drawn: list[str] = []
    top = 20
    for suite, unit in DRAWN.items():
        lines, top = panel(suite, unit, results.get(suite, {}), top)
        drawn += lines
    width = LABEL + BAR + 90
    title = "<title>Comparison of clients</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 {width} {top - 20}" role="img">{title}'
    ground = f'<rect x="-10" width="{width}" height="{top - 20}" fill="#ffffff"/>'
    target.write_text("\n".join([head, ground, *drawn, "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
