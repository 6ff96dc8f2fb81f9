"""The report of an evaluation, made of its folder alone."""

from ctmri_core.evaluation.report.write import write_pdf, write_report

__all__ = ["write_pdf", "write_report"]
