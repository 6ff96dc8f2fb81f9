"""Scores in the text format of iMRMC 4 (Gallas et al., FDA): a line of truth for each case, a line for each score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import ctmri_core
from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.files import write_bytes
from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis.answered import Answered, by_arm, by_model
from ctmri_core.studies.analysis.gather import Gathered
from ctmri_core.studies.truth import REAL

_BEGIN = "BEGIN DATA:"
_LARGEST = 64 << 20


def imrmc_readings(gathered: Gathered) -> Readings:
    """Scores as iMRMC compares them, repeats left out: real pictures under each model, or each arm with the finding as truth.

    Raises `CtmriError` for designs that give no scores of two kinds of case, and where nothing was answered.
    """
    answered = Answered(gathered)
    if answered.design not in ("yes_no", "diagnosis"):
        raise CtmriError("Only scores of two kinds of case, one at a time, can be written for iMRMC. Export a CSV instead.")
    if not answered.first:
        raise CtmriError("Nothing was answered yet, so there is nothing to export.")
    if answered.design == "diagnosis":
        return by_arm([(row.reader, row.item, row.score) for row in answered.first], answered.arms, answered.key)
    models = answered.models or (REAL,)
    return by_model(answered.first, models, answered.key)


def write_imrmc(readings: Readings, target: str | Path, front: Sequence[str] = ()) -> Path:
    """The text format of iMRMC 4: lines of `front`, then truth and scores; `front` may not hold the line that begins the data.

    Names lose what the format gives a meaning (commas, breaks). Raises `WriteFailed`.
    """
    lines = [line for line in (_plain(one) for one in front) if _BEGIN not in line]
    cases = [_plain(case) for case in readings.cases]
    lines += [_BEGIN, *(f"truth,{case},truth,{int(signal)}" for case, signal in zip(cases, readings.signal, strict=True))]
    for m, modality in enumerate(readings.modalities):
        for r, reader in enumerate(readings.readers):
            scores = readings.scores[m, r]
            read = np.flatnonzero(np.isfinite(scores))
            lines += [f"{_plain(reader)},{cases[c]},{_plain(modality)},{float(scores[c])!r}" for c in read]
    path = Path(target)
    write_bytes(path, ("\n".join(lines) + "\n").encode("utf-8"), private=True)
    return path


def imrmc_front(gathered: Gathered) -> tuple[str, ...]:
    """What stands above the data: study, hashes, anchors."""
    file = gathered.file
    anchors = [f"anchor {anchor}" for anchor in gathered.anchors]
    about = f"CT-MRI Studio {ctmri_core.__version__}; higher scores for {_signal(gathered)}"
    return (about, f"study {file.protocol.study}, protocol {file.sha256}, commitment {file.commitment}", *anchors)


def read_imrmc(path: str | Path) -> Readings:
    """What iMRMC, or `write_imrmc`, wrote. Raises `FileRefused` naming the line that does not fit."""
    place = Path(path)
    truth: dict[str, bool] = {}
    rows: list[tuple[str, str, str, float]] = []
    for number, line in _data_lines(place):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != 4:
            raise _bad_line(place, number, "has not four values")
        try:
            value = float(cells[3])
        except ValueError:
            raise _bad_line(place, number, f"has no number at its end but {cells[3][:20]!r}") from None
        if not np.isfinite(value):
            raise _bad_line(place, number, "has a score that is no number")
        if cells[0] in ("-1", "truth"):
            if value not in (0.0, 1.0):
                raise _bad_line(place, number, "has a truth that is neither 0 nor 1")
            truth[cells[1]] = value == 1.0
        else:
            rows.append((cells[0], cells[1], cells[2], value))
    unknown = {row[1] for row in rows} - truth.keys()
    if unknown:
        raise FileRefused(place, f"has scores of {len(unknown)} cases without a truth.", "Add a line of truth for each case.")
    try:
        return Readings.of(rows, truth)
    except ValueError as error:
        raise FileRefused(place, "has two scores of one reader for one case and modality.", "Leave one of them out.") from error


def _data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered from 1 in the file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise FileRefused(path, "is too large for a file of scores.", "Choose a file of iMRMC.")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(path, "cannot be read as text.", "Choose a file of iMRMC.") from error
    begin = next((number for number, line in enumerate(lines) if line.strip().rstrip(",").upper() == _BEGIN), None)
    if begin is None:
        raise FileRefused(path, f"has no line {_BEGIN}", "Choose a file of iMRMC.")
    yield from ((number, line) for number, line in enumerate(lines[begin + 1 :], begin + 2) if line.strip())


def _bad_line(path: Path, number: int, problem: str) -> FileRefused:
    return FileRefused(path, f"{problem} (line {number}).", "Lines of data are reader, case, modality, score.")


def _signal(gathered: Gathered) -> str:
    protocol = gathered.file.protocol
    return protocol.finding if protocol.design == "diagnosis" else "synthetic"


def _plain(text: str) -> str:
    return " ".join(text.replace(",", ";").split())
