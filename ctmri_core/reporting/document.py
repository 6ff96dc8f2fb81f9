"""What a report consists of, before it is HTML or PDF. All text is plain: whoever writes it out escapes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ctmri_core.reporting.drawing import Drawing


@dataclass(frozen=True)
class Number:
    """A number in a table: as it is shown, and by what it is sorted (None goes last)."""

    text: str
    value: float | None = None


Cell = str | Number


@dataclass(frozen=True)
class Column:
    """`note`: a second, smaller line of the head, such as the unit. `numeric`: stands to the right."""

    title: str
    note: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Paragraph:
    text: str
    small: bool = False


@dataclass(frozen=True)
class Caution:
    """A box that is seen first. `serious`: loud."""

    title: str
    text: str
    serious: bool = True


@dataclass(frozen=True)
class Facts:
    """Names with what there is to say of them."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """`above`: sentences to print above it. `keys`: how many columns, from the left, tell the rows apart; where a table is wider
    than paper they are repeated. `most_on_paper`: rows that are printed in a PDF, which then says how many are left out.
    `rows` hold one cell for each of `columns`.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    above: tuple[str, ...] = ()
    keys: int = 1
    sortable: bool = False
    most_on_paper: int | None = None


@dataclass(frozen=True)
class Figure:
    """`caption`: says how to read it; `alternative`: what is seen, for those who do not see it."""

    title: str
    drawing: Drawing = field(repr=False)
    caption: str
    alternative: str


Block = Paragraph | Caution | Facts | Table | Figure


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """`kind`: a fixed title, which names nobody, for the metadata of files. `mark`: on every page."""

    kind: str
    title: str
    subtitle: str
    mark: str
    sections: tuple[Section, ...]


def number(value: float | None, decimals: int | None = None, *, signed: bool = False) -> Number:
    """With `decimals` places, or with four significant figures; a dash for what is not known."""
    if value is None or math.isnan(value):
        return Number("–")
    if math.isinf(value):
        return Number("∞" if value > 0 else "−∞", value)
    places = _places(value) if decimals is None else decimals
    sign = "+" if signed else ""
    text = f"{value:{sign}.{places}f}"
    return Number(text.replace("-", "−") if float(text) else text.lstrip("+-"), value)


def _places(value: float) -> int:
    return 0 if value == 0 else min(6, max(0, 3 - math.floor(math.log10(abs(value)))))


def count(value: int) -> Number:
    return Number(f"{value:,}".replace(",", "\N{NO-BREAK SPACE}"), float(value))


def listed(words: Sequence[Any], most: int = 12) -> str:
    """`1, 2, 3 and 480 more`."""
    shown = ", ".join(map(str, words[:most]))
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
