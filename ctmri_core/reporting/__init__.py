"""Reports as one HTML file or PDF: a document of sections, tables and figures that is written either way.

Knows nothing of what is reported. Figures come from matplotlib and PDF from ReportLab, imported only while a report is made.
"""
