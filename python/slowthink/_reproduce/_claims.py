"""Claims of a paper and what was measured of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from slowthink import __version__
from slowthink._report import Writer


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    seed: int = 0
    quick: bool = False
    threads: int | None = None
    report: Callable[[str], object] = lambda part: None
    """Is told each part when it begins."""
    data: str | None = None
    """A file to work on, for papers in :data:`slowthink.cli.WITH_DATA`; what they generate otherwise."""


@dataclass(frozen=True)
class Claim:
    """A claim, and what was measured of it."""

    part: str
    claim: str
    measured: str
    holds: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    """The numbers behind ``measured``."""


@dataclass(frozen=True)
class Reproduction:
    """A table of claims, the remarks that belong below it, and the panels of a figure."""

    paper: str
    claims: Sequence[Claim]
    remarks: Sequence[str]
    panels: Mapping[str, Mapping[str, Any]]
    """Title of a panel -> arguments of :func:`slowthink.plots.plot_scaling`."""

    @property
    def holds(self) -> bool:
        """Whether all claims hold."""
        return all(claim.holds for claim in self.claims)

    def write(self, writer: Writer) -> None:
        """One table, part after part; long cells go on in the next line."""
        left = min(max(len(claim.claim) for claim in self.claims), (writer.width - 9) * 9 // 20)
        right = max(20, writer.width - 9 - left)
        writer.line(self.paper, style="bold")
        writer.line()
        writer.line(f"{'holds':<5}  {'claimed':<{left}}  measured")
        writer.line(f"{'-' * 5}  {'-' * left}  {'-' * right}")
        part = ""
        for claim in self.claims:
            if claim.part != part:
                part = claim.part
                writer.line(part, style="bold")
            cells = [["yes" if claim.holds else "NO"], wrap(claim.claim, left), wrap(claim.measured, right)]
            for first, second, third in zip_longest(*cells, fillvalue=""):
                writer.line(f"{first:<5}  {second:<{left}}  {third}".rstrip())
        writer.line()
        for remark in self.remarks:
            for line in wrap(remark, writer.width):
                writer.line(line)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, for JSON."""
        claims = [
            {"part": c.part, "claim": c.claim, "measured": c.measured, "holds": c.holds, "data": c.data}
            for c in self.claims
        ]
        return {
            "slowthink": __version__,
            "paper": self.paper,
            "holds": self.holds,
            "claims": claims,
            "remarks": list(self.remarks),
            "panels": self.panels,
        }
