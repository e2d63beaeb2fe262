"""Figures: what was measured beside the same work by plain SQL, its target, and earlier runs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    ``ours`` and ``plain`` have the same unit: milliseconds unless ``unit`` says otherwise.
    ``holds``: whether the target is met; None: there is no target.
    """

    name: str
    ours: float
    plain: float | None = None
    target: str = ""
    holds: bool | None = None
    unit: str = "ms"

    @property
    def ratio(self) -> float | None:
        """How many times the plain work ours takes."""
        return self.ours / self.plain if self.plain else None

    def stored(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {
            "name": self.name,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "ours": round(self.ours, 3),
            "plain": None if self.plain is None else round(self.plain, 3),
            "unit": self.unit,
            "target": self.target,
            "holds": self.holds,
        }


def beside(
    name: str, ours: float, plain: float, target: str, holds: Callable[[float, float], bool]
) -> Figure:
    """A figure whose target is said of both."""
    return Figure(name, ours, plain, target, holds(ours, plain))


def shown(figures: Sequence[Figure], earlier: Path | None = None) -> str:
    """The table: the ratio first, then both figures, the target, and what it was earlier."""
    before = _earlier(earlier)
    headers = ["what", "ratio", "ours", "plain SQL", "target", "met"]
    rows = []
    for figure in figures:
        row = [
            figure.name,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            _in_unit(figure.ours, figure.unit),
            "" if figure.plain is None else _in_unit(figure.plain, figure.unit),
            figure.target,
            {True: "yes", False: "NO", None: ""}[figure.holds],
        ]
        rows.append([*row, _change(figure, before)] if before else row)
    return tabulate(rows, [*headers, "earlier"] if before else headers, disable_numparse=True)


def write(figures: Sequence[Figure], about: dict[str, Any], path: Path) -> None:
    """Write the JSON that a later run is compared with."""
    content = about | {"figures": [figure.stored() for figure in figures]}
    path.write_text(json.dumps(content, indent=1) + "\n")


def _earlier(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    return {figure["name"]: figure for figure in json.loads(path.read_text())["figures"]}


def _change(figure: Figure, before: dict[str, dict[str, Any]]) -> str:
    """Ratios are compared where there are any: another machine has other milliseconds."""
    known = before.get(figure.name)
    if known is None:
        return "new"
    now, then = figure.ratio, known["ratio"]
    if now is None or not then:
        now, then = figure.ours, known["ours"]
    return f"{(now / then - 1) * 100:+.0f} %" if then else ""


def _in_unit(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"
