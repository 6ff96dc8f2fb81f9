"""Writes the report of a study: one HTML file that asks nothing of the network, or a PDF of the same."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.files import write_bytes
from ctmri_core.reporting.html_page import html_page
from ctmri_core.reporting.pdf_pages import pdf_pages
from ctmri_core.studies.analysis.results import StudyResults
from ctmri_core.studies.pictures import Pictures
from ctmri_core.studies.report.contents import contents

REPORT, PDF_REPORT = "report.html", "report.pdf"


def write_report(results: StudyResults, target: str | Path, pictures: Pictures | None = None) -> Path:
    """As HTML, for its owner alone. `pictures`: of the study, shown only if it is closed. Raises `WriteFailed`."""
    return _written(html_page(contents(results, pictures)).encode(), target)


def write_pdf(results: StudyResults, target: str | Path, pictures: Pictures | None = None) -> Path:
    """The same as PDF."""
    return _written(pdf_pages(contents(results, pictures)), target)


def _written(content: bytes, target: str | Path) -> Path:
    path = Path(target)
    write_bytes(path, content, private=True)
    return path
