"""Makes the report of an evaluation from its folder alone, without models or data: one HTML file, or a PDF of the same."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.evaluation.report.contents import contents
from ctmri_core.evaluation.results import read_evaluation
from ctmri_core.files import write_bytes
from ctmri_core.reporting.document import Document
from ctmri_core.reporting.html_page import html_page
from ctmri_core.reporting.pdf_pages import pdf_pages

REPORT, PDF_REPORT = "report.html", "report.pdf"


def write_report(folder: str | Path, target: str | Path | None = None) -> Path:
    """Writes the HTML report of the evaluation in `folder`, for its owner alone, to `target` or else into the folder.

    The path of the file. Raises `FileRefused` where there is no evaluation that can be read; `WriteFailed`.
    """
    document = _document(folder)
    return _written(html_page(document).encode(), _place(folder, target, REPORT))


def write_pdf(folder: str | Path, target: str | Path | None = None) -> Path:
    """The same as PDF."""
    document = _document(folder)
    return _written(pdf_pages(document), _place(folder, target, PDF_REPORT))


def _document(folder: str | Path) -> Document:
    return contents(read_evaluation(folder), _folder(folder))


def _folder(folder: str | Path) -> Path:
    """That of `evaluation.json` where the file itself was named."""
    path = Path(folder)
    return path if path.is_dir() else path.parent


def _place(folder: str | Path, target: str | Path | None, name: str) -> Path:
    return _folder(folder) / name if target is None else Path(target)


def _written(content: bytes, path: Path) -> Path:
    write_bytes(path, content, private=True)
    return path
