"""A document as PDF on A4, by ReportLab: the same blocks in the same order, its typeface embedded, its mark on every page.

Nothing in its metadata but the kind of document; the same document gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from ctmri_core.reporting.document import Block, Caution, Document, Facts, Figure, Paragraph, Section, Table
from ctmri_core.reporting.drawing import as_pixels
from ctmri_core.reporting.lettering import drawable, typeface
from ctmri_core.reporting.pdf_tables import paper_tables

_MM = 72 / 25.4
_MARGIN = 15 * _MM
_LOUD, _MILD, _SOFT = "#8f1d0a", "#6b4e00", "#566270"


def pdf_pages(document: Document) -> bytes:
    """The whole file."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    stream = io.BytesIO()
    template = SimpleDocTemplate(
        stream, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=18 * _MM,
        title=document.kind, author="", subject="", creator="CT-MRI Studio", producer="CT-MRI Studio", invariant=1, lang="en",
    )  # fmt: skip
    _Writer(document).build(template)
    return stream.getvalue()


class _Writer:
    """Paragraph styles once, and blocks by them."""

    def __init__(self, document: Document) -> None:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.styles import ParagraphStyle

        _register_typeface()
        self._document = document
        self._width = A4[0] - 2 * _MARGIN
        text = ParagraphStyle("text", fontName="Body", fontSize=8.5, leading=12, spaceAfter=4)
        self._styles = {
            "text": text,
            "small": ParagraphStyle("small", parent=text, fontSize=7.5, leading=10, textColor=_SOFT),
            "title": ParagraphStyle("title", parent=text, fontName="Bold", fontSize=17, leading=21),
            "section": ParagraphStyle("section", parent=text, fontName="Bold", fontSize=12, leading=15, spaceBefore=12),
            "block": ParagraphStyle("block", parent=text, fontName="Bold", fontSize=9, leading=12, spaceBefore=6),
            "mark": ParagraphStyle("mark", parent=text, fontName="Bold", textColor=_LOUD),
        }

    def build(self, template: Any) -> None:
        """`template`: of ReportLab, which ships no types, as the canvas below."""
        document = self._document
        story = [
            self._text(document.title, "title"),
            self._text(document.subtitle, "small"),
            self._text(document.mark, "mark"),
            *(flowable for section in document.sections for flowable in self._section(section)),
        ]
        template.build(story, onFirstPage=self._foot, onLaterPages=self._foot)

    def _foot(self, canvas: Any, template: Any) -> None:
        """Below each page."""
        canvas.setFont("Body", 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, 10 * _MM, drawable(self._document.mark))
        canvas.drawRightString(_MARGIN + self._width, 10 * _MM, str(template.page))

    def _section(self, section: Section) -> Iterator[object]:
        from reportlab.platypus import CondPageBreak

        first = section.blocks[0] if section.blocks else None
        below = first.drawing.height_mm if isinstance(first, Figure) else 0
        yield CondPageBreak((45 + below) * _MM)
        yield self._text(section.title, "section")
        for block in section.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[object]:
        match block:
            case Paragraph(text=text, small=small):
                yield self._text(text, "small" if small else "text")
            case Caution():
                yield self._caution(block)
            case Facts(pairs=pairs):
                yield from (self._text(told, "text", before=f"{name}: ") for name, told in pairs)
            case Table():
                yield from self._table(block)
            case Figure():
                yield self._figure(block)

    def _text(self, text: str, style: str, before: str = "") -> object:
        from reportlab.platypus import Paragraph as Lines

        started = f'<font color="{_SOFT}">{escape(drawable(before))}</font>' if before else ""
        return Lines(started + escape(drawable(text)), self._styles[style])

    def _caution(self, block: Caution) -> object:
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph as Lines

        colour = _LOUD if block.serious else _MILD
        style = ParagraphStyle(
            "caution", parent=self._styles["text"], borderColor=colour, borderWidth=0.8, borderPadding=4, spaceBefore=6,
            spaceAfter=7, leftIndent=5, rightIndent=5,
        )  # fmt: skip
        title = f'<font name="Bold" color="{colour}">{escape(drawable(block.title))}</font>'
        return Lines(f"{title}<br/>{escape(drawable(block.text))}", style)

    def _table(self, table: Table) -> Iterator[object]:
        from reportlab.platypus import CondPageBreak, Spacer

        yield CondPageBreak(35 * _MM)
        yield self._text(table.title, "block")
        if table.above:
            yield self._text(" ".join(table.above), "small")
        yield from paper_tables(table, self._width)
        most = table.most_on_paper
        if most is not None and len(table.rows) > most:
            yield self._text(f"{len(table.rows) - most} more rows are not printed; the HTML report holds all.", "small")
        yield Spacer(1, 4 * _MM)

    def _figure(self, figure: Figure) -> object:
        from PIL import Image as Picture
        from reportlab.lib.utils import ImageReader
        from reportlab.platypus import Flowable, KeepTogether

        pixels = ImageReader(Picture.fromarray(as_pixels(figure.drawing)))
        drawing = figure.drawing
        width = min(self._width, drawing.width_mm * _MM)
        height = width * drawing.height_mm / drawing.width_mm

        class Drawn(Flowable):  # type: ignore[misc]  # ReportLab ships no types
            """The figure, at its place."""

            def wrap(self, *_: float) -> tuple[float, float]:
                return width, height

            def draw(self) -> None:
                self.canv.drawImage(pixels, 0, 0, width, height)

        return KeepTogether([self._text(figure.title, "block"), Drawn(), self._text(figure.caption, "small")])


def _register_typeface() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, bold in (("Body", False), ("Bold", True)):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(typeface(bold=bold))))
