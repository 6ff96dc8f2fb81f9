"""Studies that are read elsewhere: one file for each reader goes out, one comes back."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.files import atomic_file
from ctmri_core.studies.chain import Anchor
from ctmri_core.studies.closing import is_closed
from ctmri_core.studies.incoming import check_coming
from ctmri_core.studies.pictures import ITEMS, name_of, raw_of
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.study_folder import STUDY, StudyFolder, order_name

_NO_DATE = (1980, 1, 1, 0, 0, 0)
"""When a picture was written tells nothing, but nobody needs to know it."""


@dataclass(frozen=True)
class Merged:
    """`entries`: how many were new, `answers` among them; `anchors`: of what came, to be compared with those that the reader's
    window showed at its end."""

    entries: int
    answers: int
    anchors: tuple[Anchor, ...]


def pack(study: StudyFolder, reader: str, target: Path) -> None:
    """All that `reader` needs, without the truth, as one file. Raises `FileRefused` for a reader the study does not know, and
    where a picture is missing or is not the one that was written, `WriteFailed`."""
    study.refuse_unless_open()
    order = study.order(reader)
    tokens = sorted({token for trial in order.assignment.trials for token in trial.items})
    with atomic_file(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as packed:
        for name in (STUDY, ITEMS, order_name(reader)):
            packed.writestr(zipfile.ZipInfo(name, _NO_DATE), study.pictures.read(name))
        for token in tokens:
            packed.writestr(zipfile.ZipInfo(name_of(token), _NO_DATE), raw_of(study.pictures.voxels(token)))


def merge(study: StudyFolder, answers: Path) -> Merged:
    """Takes in what came back. Raises `FileRefused` where it is of another study, was changed, or contradicts what is here."""
    study.refuse_unless_open()
    if not answers.is_file():
        raise FileRefused(answers, "is not there.", "Name a file that a reader sent back.")
    if zipfile.is_zipfile(answers):
        way_out = "Ask for the file that lies beside it, which ends in .ctmri-answers."
        raise FileRefused(answers, "is the study that was sent out, and holds no answers.", way_out)
    with StudyRecord(answers, study=study.file.sha256, writing=False) as coming:
        if coming.newer:
            raise FileRefused(answers, "was written by a newer version of this program.", "Update here, then take it in.")
        entries, anchors = coming.entries(), coming.anchors
    if not entries:
        raise FileRefused(answers, "holds no answers.", "Ask for the file that lies beside the packed study.")
    check_coming(study, entries, answers)
    with study.record() as record:
        if is_closed(record.entries("closed"), record.origin):
            raise FileRefused(answers, "comes too late: the study is closed.", "Keep it beside the study, and report it.")
        known = {(entry.origin, entry.number) for entry in record.entries()}
        count = record.take_in(entries)
        if count:
            record.append("merged", "", {"file": answers.name, "entries": count, "anchors": [str(anchor) for anchor in anchors]})
    fresh = [entry for entry in entries if (entry.origin, entry.number) not in known]
    return Merged(count, sum(entry.kind == "answer" for entry in fresh), anchors)
