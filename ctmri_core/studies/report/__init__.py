"""The report of a study, made of its results alone; pictures only where they may be shown."""

from ctmri_core.studies.report.write import write_pdf, write_report

__all__ = ["write_pdf", "write_report"]
