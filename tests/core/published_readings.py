"""Published reader studies with known results, from the development data."""

from __future__ import annotations

import csv
from pathlib import Path

from ctmri_core.statistics.readings import Readings


def van_dyke(shared_data: Path) -> Readings:
    """Five readers, two ways of imaging, 69 + 45 cases."""
    with (shared_data / "reader_study" / "VanDyke.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    truth = {row["case"]: row["truth"] == "1" for row in rows}
    return Readings.of(((row["reader"], row["case"], row["treatment"], float(row["rating"])) for row in rows), truth)


def imrmc_example(shared_data: Path) -> Readings:
    """Five readers, two ways of imaging, 40 + 40 cases."""
    text = (shared_data / "reader_study" / "imrmc_input.imrmc").read_text()
    rows = [line.split(",") for line in text.partition("BEGIN DATA:")[2].split()]
    truth = {row[1]: row[3] == "1" for row in rows if row[0] == "truth"}
    return Readings.of(((row[0], row[1], row[2], float(row[3])) for row in rows if row[0] not in ("truth", "-1")), truth)


def diagnoses(shared_data: Path) -> tuple[list[list[str]], list[str]]:
    """Fleiss 1971: 30 subjects, six raters, and the five classes."""
    with (shared_data / "reader_study" / "fleiss1971_diagnoses.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return rows, sorted({answer for row in rows for answer in row})
