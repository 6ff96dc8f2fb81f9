"""Whose the cases of finished pictures are: by a table, else by their names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctmri_core.errors import FileRefused

_SUBJECT = re.compile(r"sub-[a-z0-9]+")
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Whose:
    """`patient`: any name that the cases of one person share; `centre`: empty where it is not known."""

    patient: str
    centre: str = ""


def patients_of(cases: Sequence[str], table: Path | None) -> dict[str, Whose]:
    """By case. Without a table each case is a patient, but for BIDS names, whose `sub-NAME` is.

    `table`: CSV in UTF-8, with commas, semicolons or tabs, first line `case,patient` or `case,patient,centre`; a case is named as
    its files are, without what they say of the kind (`p1` for `p1_synthetic_ct.nii.gz`), in any case of letters. Raises
    `FileRefused` where it is none, or lacks a case.
    """
    if table is None:
        return {case: Whose(found[0] if (found := _SUBJECT.match(case)) else case) for case in cases}
    known = _read(table)
    missing = [case for case in cases if case not in known]
    if missing:
        problem = f"lacks {len(missing)} of {len(cases)} cases."
        raise FileRefused(table, problem, "Add a line for each, named as its files are, without words such as ct or synthetic.")
    return {case: known[case] for case in cases}


def _read(table: Path) -> dict[str, Whose]:
    try:
        if table.stat().st_size > _LARGEST:
            raise FileRefused(table, "is too large for a table of patients.", "Name the right file.")
        text = table.read_text("utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)  # spreadsheets write what is usual in their country
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(table, "is no CSV table in UTF-8 that can be read.", "Save it as CSV, encoded in UTF-8.") from error
    found: dict[str, Whose] = {}
    for number, row in enumerate(rows, 2):
        cells = {str(name).strip().lower(): (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
        case, patient = cells.get("case", "").lower(), cells.get("patient", "")
        if not case or not patient:
            raise FileRefused(table, f"names no case or no patient in line {number}.", "Its first line is case,patient,centre.")
        whose = Whose(patient, cells.get("centre", "")[:100])
        if found.setdefault(case, whose) != whose:
            raise FileRefused(table, f"says of one case two things, again in line {number}.", "Leave one line for each case.")
    return found
