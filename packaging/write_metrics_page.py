"""Writes docs/metrics.md from the catalogue of measures. Run it after a change there: python packaging/write_metrics_page.py"""

from __future__ import annotations

from pathlib import Path

from ctmri_core.metrics.metrics_page import metrics_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"

if __name__ == "__main__":
    PAGE.write_text(metrics_page(), encoding="utf-8")
