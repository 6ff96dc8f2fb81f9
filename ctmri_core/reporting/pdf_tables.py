"""Tables that fit paper: columns as wide as what they hold, long texts broken; wide ones in a smaller letter, and those that are
wider still in parts that repeat the first columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from ctmri_core.reporting.document import Cell, Column, Number, Table
from ctmri_core.reporting.lettering import drawable

_SIZE, _LEADING = 6.8, 8.6
_GAP = 7.0  # points between columns
_WIDEST = 125.0  # points of a column of text before its lines are broken
_SMALLEST = 0.82
"""Of the size of letters: what fits with it is not parted."""
_ROUNDING = 1e-6
_LINES, _BAND = "#c3cad2", "#f3f5f7"


def paper_tables(table: Table, width: float) -> Iterator[object]:
    """ReportLab tables, one or several. `width`: of the page's text, in points."""
    rows = table.rows if table.most_on_paper is None else table.rows[: table.most_on_paper]
    widths = [_needed(column, [row[place] for row in rows]) for place, column in enumerate(table.columns)]
    scale = width / max(sum(widths), width)
    if scale < _SMALLEST:
        scale = 1.0
    for part in _parts([scale * each for each in widths], table.keys, width):
        yield _part(table.columns, rows, part, [scale * widths[place] for place in part], scale)


def _needed(column: Column, cells: Sequence[Cell]) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    heads = [stringWidth(drawable(line), "Bold", _SIZE) for line in (column.title, column.note)]
    longest = sorted({_shown(cell) for cell in cells}, key=len)[-20:]
    inner = [stringWidth(text, "Body", _SIZE) for text in longest]
    return float(min(max([*heads, *inner, 10.0]), _WIDEST) + _GAP)


def _parts(widths: Sequence[float], keys: int, width: float) -> Iterator[list[int]]:
    """Places of columns that go side by side, each time with the first `keys`."""
    first = list(range(keys))
    part, taken = list(first), sum(widths[:keys])
    for place in range(keys, len(widths)):
        if len(part) > keys and taken + widths[place] > width + _ROUNDING:
            yield part
            part, taken = list(first), sum(widths[:keys])
        part.append(place)
        taken += widths[place]
    yield part


def _part(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], part: list[int], widths: list[float], scale: float
) -> object:  # fmt: skip
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable

    head = [_head(columns[place]) for place in part]
    data = [head, *([_cell(row[place], widths[n], scale) for n, place in enumerate(part)] for row in rows)]
    size, leading, gap = scale * _SIZE, scale * _LEADING, scale * _GAP
    style: list[tuple[object, ...]] = [
        ("FONT", (0, 0), (-1, 0), "Bold", size, leading),
        ("FONT", (0, 1), (-1, -1), "Body", size, leading),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINES)),
        ("BACKGROUND", (0, 0), (-1, 0), HexColor(_BAND)),
        ("LEFTPADDING", (0, 0), (-1, -1), gap / 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), gap / 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        *(("ALIGN", (n, 0), (n, -1), "RIGHT") for n, place in enumerate(part) if columns[place].numeric),
    ]
    return LongTable(data, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT", spaceAfter=6)


def _head(column: Column) -> str:
    return "\n".join(drawable(line) for line in (column.title, column.note) if line)


def _cell(cell: Cell, width: float, scale: float) -> object:
    """Plain text where it fits one line, which is written fast; else lines."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.platypus import Paragraph

    text = _shown(cell)
    size = scale * _SIZE
    if stringWidth(text, "Body", size) <= width - scale * _GAP + 0.01:
        return text
    style = ParagraphStyle("cell", fontName="Body", fontSize=size, leading=scale * _LEADING, splitLongWords=True)
    return Paragraph(escape(text), style)


def _shown(cell: Cell) -> str:
    return drawable(cell.text if isinstance(cell, Number) else cell)
