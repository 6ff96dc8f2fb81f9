"""A document as one HTML file that asks nothing of the network: style, figures and the few lines that sort tables are inside.

A content policy in its head lets no other script run and nothing be fetched, whatever a table may show.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from ctmri_core.reporting.document import Block, Caution, Cell, Column, Document, Facts, Figure, Number, Paragraph, Section, Table
from ctmri_core.reporting.drawing import as_svg
from ctmri_core.reporting.markup import Markup, element, joined

_SORTED = "A click on a heading sorts by it."
_ONE_LINE = 24  # letters of a cell that is not broken
_NARROW_MM = 120.0


def html_page(document: Document) -> str:
    """The whole file. The same document gives the same text."""
    style, script = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", document.kind),
        Markup(f"<style>{style}</style>"),
    )
    body = element("body", *_top(document), *_sections(document), Markup(f"<script>{script}</script>"))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _top(document: Document) -> list[Markup]:
    entries = [
        element("li", element("a", section.title, href=f"#part-{place}")) for place, section in enumerate(document.sections)
    ]
    return [
        element("h1", document.title),
        element("p", document.subtitle, class_="small"),
        element("p", document.mark, class_="mark"),
        element("nav", element("ul", *entries), aria_label="Contents"),
    ]


def _sections(document: Document) -> list[Markup]:
    return [_section(section, f"part-{place}") for place, section in enumerate(document.sections)]


def _section(section: Section, name: str) -> Markup:
    blocks = [_block(block, f"{name}-{place}") for place, block in enumerate(section.blocks)]
    return element("section", element("h2", section.title, id=name), *blocks)


def _block(block: Block, name: str) -> Markup:
    match block:
        case Paragraph(text=text, small=small):
            return element("p", text, class_="small" if small else None)
        case Caution(title=title, text=text, serious=serious):
            kind = "warning serious" if serious else "warning"
            return element("div", element("strong", title), element("p", text), class_=kind, role="note")
        case Facts(pairs=pairs):
            return element("dl", *(joined(element("dt", name), element("dd", told)) for name, told in pairs))
        case Table():
            return _table(block)
        case Figure():
            return _figure(block, name)


def _table(table: Table) -> Markup:
    heads = element("tr", *(_head(column, sortable=table.sortable) for column in table.columns))
    rows = [element("tr", *map(_cell, row)) for row in table.rows]
    whole = element(
        "table", element("thead", heads), element("tbody", *rows), class_="sortable" if table.sortable else None,
        aria_label=table.title,
    )  # fmt: skip
    above = " ".join((*table.above, *((_SORTED,) if table.sortable else ())))
    told = [element("p", above, class_="above")] if above else []
    scrolled = element("div", whole, class_="scroll", tabindex=0)
    return element("div", element("h3", table.title), *told, scrolled, class_="block")


def _head(column: Column, *, sortable: bool) -> Markup:
    title = element("button", column.title, type="button") if sortable else column.title
    note = (element("small", column.note),) if column.note else ()
    return element("th", title, *note, scope="col", class_="number" if column.numeric else None)


def _cell(cell: Cell) -> Markup:
    if isinstance(cell, Number):
        value = None if cell.value is None else _sort_key(cell.value)
        return element("td", cell.text, class_="number", data_value=value)
    return element("td", cell, class_="text" if len(cell) > _ONE_LINE else "short")


def _sort_key(value: float) -> str:
    """Words that JavaScript reads as numbers, the infinite ones too."""
    return repr(value).replace("inf", "Infinity")


def _figure(figure: Figure, name: str) -> Markup:
    drawn = as_svg(figure.drawing, name)
    told = element("svg", role="img", aria_label=figure.alternative)
    svg = Markup(drawn.replace("<svg", told.removesuffix("></svg>"), 1))
    parts = element("h3", figure.title), svg, element("figcaption", figure.caption)
    narrow = figure.drawing.width_mm < _NARROW_MM  # drawn as wide as the page its letters would be those of a poster
    return element("figure", *parts, class_="narrow") if narrow else element("figure", *parts)
