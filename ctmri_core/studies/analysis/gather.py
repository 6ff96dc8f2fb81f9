"""All that an analysis needs of a study, read once: what was asked, what is true, who saw what, what was answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ctmri_core.errors import CtmriError
from ctmri_core.studies.chain import Anchor, Entry
from ctmri_core.studies.closing import is_closed
from ctmri_core.studies.protocol import canonical
from ctmri_core.studies.study_folder import StudyFile, StudyFolder
from ctmri_core.studies.trials import Answer, Assignment, Item, ReaderFacts
from ctmri_core.studies.truth import Truth


@dataclass(frozen=True, eq=False)
class Gathered:
    """`truth`: None where it stays sealed (for exports of a study that is read still). `answers`: the last revision of each, in
    the order given; `written`: the entry of the record that holds it, by (reader, trial); `entries`: all the others; `origin`: of
    the study's own chain among them, which alone opens and closes it."""

    file: StudyFile
    truth: Truth | None
    items: Mapping[str, Item]
    assignments: Mapping[str, Assignment]
    answers: tuple[Answer, ...]
    written: Mapping[tuple[str, str], Entry]
    entries: tuple[Entry, ...]
    origin: str
    anchors: tuple[Anchor, ...]
    faults: tuple[str, ...]

    @property
    def own(self) -> tuple[Entry, ...]:
        """Entries of the study's own chain."""
        return tuple(entry for entry in self.entries if entry.origin == self.origin)

    @property
    def closed(self) -> bool:
        """Whether no answer can come any more."""
        return is_closed(self.entries, self.origin)

    @property
    def facts(self) -> dict[str, ReaderFacts]:
        """What readers said of themselves, the last time."""
        said = (entry for entry in self.entries if entry.kind == "consent")
        return {entry.reader: ReaderFacts.model_validate(entry.payload) for entry in said}

    def order_sha256(self, reader: str) -> str:
        """Of the order as it stands in the record."""
        return hashlib.sha256(canonical(self.assignments[reader])).hexdigest()

    def known_truth(self) -> Truth:
        """Raises `CtmriError` where it is sealed."""
        if self.truth is None:
            raise CtmriError("The truth of this study is sealed. Close the study; then it can be analysed.")
        return self.truth


def gather(study: StudyFolder, passphrase: str = "", *, interim: bool = False) -> Gathered:
    """With the truth of a study that is closed, or of an open one where that was asked for, which goes on record.

    Raises `CtmriError` where it is not closed, `FileRefused` where a part of it cannot be read.
    """
    blind = gather_blind(study)
    if not blind.closed and not interim:
        raise CtmriError(
            "This study is not closed: who looks at results now may steer it. Close it first, or ask for an interim analysis,"
            " which goes on record."
        )
    truth = study.truth(passphrase)
    if not blind.closed:
        with study.record() as record:
            record.append("unsealed", "", {"why": "interim analysis", "answers": len(blind.answers)})
        blind = gather_blind(study)
    return Gathered(**{**blind.__dict__, "truth": truth})


def gather_blind(study: StudyFolder) -> Gathered:
    """Without the truth. Raises `FileRefused`."""
    with study.record(writing=False) as record:
        origin = record.origin
        answers, entries, anchors, faults = record.answers(), record.entries(), record.anchors, record.faults()
    assignments = {reader: study.order(reader).assignment for reader in study.readers}
    given = {(reader, trial.token) for reader, assignment in assignments.items() for trial in assignment.trials}
    foreign = [answer for answer in answers if (answer.reader, answer.trial) not in given]
    if foreign:
        faults = (*faults, f"{len(foreign)} answers are to trials that no reader was given; they are left out")
    written = {(entry.reader, str(entry.payload.get("trial"))): entry for entry in entries if entry.kind == "answer"}
    return Gathered(
        file=study.file, truth=None, items=study.pictures.items, assignments=assignments,
        answers=tuple(answer for answer in answers if (answer.reader, answer.trial) in given), written=written,
        entries=tuple(entry for entry in entries if entry.kind != "answer"), origin=origin, anchors=anchors, faults=faults,
    )  # fmt: skip
