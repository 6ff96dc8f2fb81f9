"""A study's answers for other programs: one row each, as CSV or JSON lines, with the anchors of the record.

Before a study is closed, and its truth unsealed, the columns that tell what a picture is stay empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ctmri_core
from ctmri_core.files import write_bytes
from ctmri_core.studies.analysis.answered import Row
from ctmri_core.studies.analysis.gather import Gathered
from ctmri_core.studies.assignment import order_seed
from ctmri_core.studies.trials import Answer, Trial
from ctmri_core.studies.truth import ItemTruth

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(gathered: Gathered, target: str | Path) -> Path:
    """One row for each answer, practice and repeats too; lists are written as JSON. Texts that a spreadsheet would compute get an
    apostrophe before them. Raises `WriteFailed`."""
    text = io.StringIO()
    rows = [{name: _cell(value) for name, value in row.items()} for row in answer_rows(gathered)]
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["study"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return _written(target, text.getvalue())


def write_json_lines(gathered: Gathered, target: str | Path) -> Path:
    """The study and its anchors, then one answer a line with the same keys as the CSV. Raises `WriteFailed`."""
    file = gathered.file
    head = {
        "kind": "study", "title": file.protocol.title, "design": file.protocol.design, "protocol": file.sha256,
        "commitment": file.commitment, "opened": file.opened, "program": ctmri_core.__version__, "closed": gathered.closed,
        "anchors": [str(anchor) for anchor in gathered.anchors], "faults": list(gathered.faults),
    }  # fmt: skip
    lines = [head, *({"kind": "answer", **row} for row in answer_rows(gathered))]
    return _written(target, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def answer_rows(gathered: Gathered) -> Iterator[dict[str, Any]]:
    """By reader, in the order shown. `record_...`: the entry of the record that holds the answer; `anchors`: of the record."""
    truth = {} if gathered.truth is None else {item.token: item for item in gathered.truth.items}
    given = {(answer.reader, answer.trial): answer for answer in gathered.answers}
    anchors = "; ".join(str(anchor) for anchor in gathered.anchors)
    for reader, order in gathered.assignments.items():
        again = order.repeats
        for trial in order.trials:
            answer = given.get((reader, trial.token))
            if answer is not None:
                yield {
                    **_about(gathered, trial, answer), "repeats": again.get(trial.token, ""),
                    "order_seed": "" if gathered.truth is None else order_seed(gathered.truth.plan, reader),
                    **_told(gathered, trial, answer, truth), **_viewed(gathered, answer), **_kept(gathered, answer),
                    "anchors": anchors,
                }  # fmt: skip


def _about(gathered: Gathered, trial: Trial, answer: Answer) -> dict[str, Any]:
    file = gathered.file
    return {
        "study": file.protocol.study, "protocol": file.sha256, "design": file.protocol.design, "reader": answer.reader,
        "session": answer.session, "block": trial.block, "number": trial.number, "trial": trial.token, "items": list(trial.items),
        "choice": answer.choice, "confidence": answer.confidence, "reasons": list(answer.reasons),
        "marks": [mark.model_dump(mode="json") for mark in answer.marks],
        **{f"q_{one.key}": answer.questions.get(one.key) for one in file.protocol.questions if one.kind != "mark"},
    }  # fmt: skip


def _told(gathered: Gathered, trial: Trial, answer: Answer, truth: dict[str, ItemTruth]) -> dict[str, Any]:
    """What is true of it; empty while it is sealed."""
    items = [truth[token] for token in trial.items if token in truth]
    if not items:
        return dict.fromkeys(("arms", "cases", "signal", "correct", "score"))
    design = gathered.file.protocol.design
    row = Row(trial, answer, tuple(items), design)
    judged = design not in ("rank", "grading")
    return {
        "arms": [item.arm for item in items], "cases": [item.case for item in items],
        "signal": int(row.signal) if judged else None, "correct": int(row.right) if judged else None,
        "score": row.score if judged else None,
    }  # fmt: skip


def _viewed(gathered: Gathered, answer: Answer) -> dict[str, Any]:
    sittings = [one.payload for one in gathered.entries if one.kind == "session" and one.reader == answer.reader]
    monitor = next((one.get("monitor") for one in sittings if one.get("number") == answer.session), None)
    seen = monitor if isinstance(monitor, dict) else {}
    return {
        "shown_at": answer.shown_at, "first_action_ms": answer.first_action_ms, "response_ms": answer.response_ms,
        "focus_lost_ms": answer.focus_lost_ms, "load_ms": answer.load_ms, "slices": list(answer.viewing.slices),
        "windows": answer.viewing.windows, "zoom_max": answer.viewing.zoom_max, "revision": answer.revision,
        **{f"monitor_{name}": seen.get(name) for name in ("width", "height", "pixel_ratio", "patches", "note")},
    }  # fmt: skip


def _kept(gathered: Gathered, answer: Answer) -> dict[str, Any]:
    entry = gathered.written.get((answer.reader, answer.trial))
    if entry is None:
        return dict.fromkeys(("record_origin", "record_number", "record_sha256", "recorded_at"))
    return {"record_origin": entry.origin, "record_number": entry.number, "record_sha256": entry.sha256, "recorded_at": entry.at}


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _written(target: str | Path, text: str) -> Path:
    path = Path(target)
    write_bytes(path, text.encode("utf-8"), private=True)
    return path
