"""What a browser would find in a report, by the parser of Python's own library."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "br"}


@dataclass
class TableFound:
    """`above`: the text between its title and itself; `rows` of (text, sort value) cells."""

    label: str
    above: str = ""
    heads: list[str] = field(default_factory=list)
    rows: list[list[tuple[str, str | None]]] = field(default_factory=list)

    def texts(self) -> list[list[str]]:
        return [[text for text, _ in row] for row in self.rows]


class PageReader(HTMLParser):
    """`figures`: (alternative text, caption); `attributes`: of all elements; `text`: outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[TableFound] = []
        self.figures: list[tuple[str, str]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._open: list[str] = []
        self._above = ""
        self.feed(page)
        self.close()
        assert not self._open, "unbalanced elements"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        match tag:
            case "table":
                self.tables.append(TableFound(given.get("aria-label", ""), self._above))
            case "p" if given.get("class") == "above":
                self._above = ""
            case "h3":
                self._above = ""
            case "tr" if "tbody" in self._open:
                self.tables[-1].rows.append([])
            case "td":
                self.tables[-1].rows[-1].append(("", given.get("data-value")))
            case "th":
                self.tables[-1].heads.append("")
            case "svg":
                self.figures.append((given.get("aria-label", "") if given.get("role") == "img" else "", ""))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "p" and given.get("class") == "above":
            self._open[-1] = "p.above"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().partition(".")[0] == tag

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside in ("script", "style"):
            (self.scripts if inside == "script" else self.styles).append(data)
            return
        self.text += data
        if inside == "p.above":
            self._above += data
        elif inside == "td":
            text, value = self.tables[-1].rows[-1][-1]
            self.tables[-1].rows[-1][-1] = (text + data, value)
        elif "th" in self._open:
            self.tables[-1].heads[-1] += data
        elif inside == "figcaption":
            alternative, caption = self.figures[-1]
            self.figures[-1] = (alternative, caption + data)

    def table(self, label: str) -> TableFound:
        return next(table for table in self.tables if table.label == label)
