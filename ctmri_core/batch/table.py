"""The table of a batch: `translations.json` for the program, `translations.csv` for people. No patient data in either."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

import ctmri_core
from ctmri_core.errors import FileRefused
from ctmri_core.events import CaseTold
from ctmri_core.files import write_text

Status = Literal["waiting", "running", "done", "failed", "asked about", "skipped"]
Question = Literal["", "doubt", "kind"]

JSON_NAME, CSV_NAME = "translations.json", "translations.csv"
_FORMAT, _VERSION = "translations of CT-MRI Studio", 1
_FOR_PEOPLE = (
    "case", "status", "reason", "kind", "model", "model_hash", "input_hash", "settings_hash", "seconds", "device", "output",
    "findings", "place", "at",
)  # fmt: skip


class CaseRow(BaseModel):
    """One case. `place`: of the scan below what was given; `case`: its name here, which no other has.

    `status`: `running` of a case that nobody holds was interrupted. `question`: what a person has to decide where it is `asked
    about`: a doubt of the model, or what kind of scan it is. `kind`: as the scan was taken; `told`: what the user said of scans
    that do not say so themselves; `model_hash`: of the weights. `input_stamp`: at a glance, `input_hash`: of what the files hold.
    `output`: within the folder of the table, with `output_hash` and `output_bytes` of what it holds; of a case that runs, what is
    about to be written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    place: str
    case: str
    status: Status = "waiting"
    reason: str = ""
    question: Question = ""
    kind: str = ""
    told: str = ""
    model: str = ""
    model_hash: str = ""
    input_stamp: str = ""
    input_hash: str = ""
    settings_hash: str = ""
    seconds: float | None = None
    device: str = ""
    output: str = ""
    output_hash: str = ""
    output_bytes: int = 0
    findings: tuple[str, ...] = ()
    at: datetime | None = None


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["translations of CT-MRI Studio"]
    version: int
    cases: tuple[CaseRow, ...]


def read_table(folder: Path) -> tuple[CaseRow, ...]:
    """The rows in `folder`, none where there is no table. Raises `FileRefused` for one that is damaged or of a later version."""
    path = folder / JSON_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise FileRefused(path, f"cannot be read: {error.strerror or 'input error'}.", "Change its permissions.") from error
    way_out = "Name another folder for the results, or move this file away: then every case is translated anew."
    try:
        stored = json.loads(content)
        if isinstance(stored, dict) and stored.get("format") == _FORMAT and stored.get("version", 0) > _VERSION:
            raise FileRefused(path, "is of a later version of this program.", "Use that version, or name another folder.")
        return _Table.model_validate(stored).cases
    except (ValueError, RecursionError, ValidationError) as error:
        raise FileRefused(path, "is damaged, or no table of translations.", way_out) from error


def write_table(folder: Path, rows: Iterable[CaseRow]) -> None:
    """Both files, each whole. Raises `WriteFailed`."""
    rows = tuple(rows)
    stored = {
        "format": _FORMAT, "version": _VERSION, "program": f"CT-MRI Studio {ctmri_core.__version__}",
        "cases": [row.model_dump(mode="json", exclude_defaults=True) for row in rows],
    }  # fmt: skip
    write_text(folder / JSON_NAME, json.dumps(stored, indent=1))
    write_text(folder / CSV_NAME, _as_csv(rows))


def told_of(row: CaseRow, share: float | None = None) -> CaseTold:
    """How the case of `row` stands, as an event; `share`: how much of it is behind, where it goes on."""
    return CaseTold(
        name=row.case, status=row.status, reason=row.reason, question=row.question if row.status == "asked about" else "",
        seconds=row.seconds if share is None else None, share=share, place=row.place,
        output=row.output if row.status == "done" else "", model=row.model if row.status == "done" else "",
    )  # fmt: skip


def _as_csv(rows: Iterable[CaseRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(name.replace("_", " ") for name in _FOR_PEOPLE)
    for row in rows:
        output = row.output if row.status == "done" else ""  # else it is what was there before, or was to come
        values = {**row.model_dump(mode="json"), "output": output, "findings": " ".join(row.findings)}
        writer.writerow(_cell(values[name]) for name in _FOR_PEOPLE)
    return text.getvalue()


def _cell(value: object) -> str:
    """Spreadsheets take text that begins like a formula for one."""
    text = "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
