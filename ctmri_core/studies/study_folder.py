"""A reader study on the coordinator's disk, from its making to its end (docs/decisions/0022).

It begins as a draft. Once it was opened, protocol and truth have the hashes that stand in `study.json` and in the record, readers
are added on record, and nothing else is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ctmri_core.errors import CtmriError, FileRefused, WriteFailed
from ctmri_core.files import write_bytes
from ctmri_core.studies.assignment import assign
from ctmri_core.studies.closing import is_closed
from ctmri_core.studies.pictures import Pictures, write_alike, write_items
from ctmri_core.studies.protocol import Protocol, canonical, codes_problem
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.sealing import commitment, kept_key, needs_passphrase, new_key, seal, unseal
from ctmri_core.studies.trials import Assignment, Feedback, Item
from ctmri_core.studies.truth import REAL, Truth

STUDY = "study.json"
RECORD = "study.sqlite"
TRUTH = "truth.sealed"
ORDERS = "orders"



class StudyFile(BaseModel):
    """`study.json`. `sha256`: of the protocol; `commitment`: SHA-256 of the sealed truth; `opened`: when, UTC; empty for a draft;
    `version`: of the program that opened it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Protocol
    sha256: str
    commitment: str
    opened: str = ""
    version: str = ""

    def checked(self, place: Path) -> StudyFile:
        """Itself. Raises `FileRefused` where the protocol is not the one that was written."""
        if self.sha256 != self.protocol.sha256:
            raise FileRefused(place, "holds a protocol that was changed after it was written.", "Ask for the file once more.")
        return self


class Order(BaseModel):
    """`orders/READER.json`: what one reader is shown, and what he is told in practice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    assignment: Assignment
    feedback: tuple[Feedback, ...] = ()


def write_draft(folder: Path, protocol: Protocol, truth: Truth, items: Iterable[Item], passphrase: str = "") -> None:
    """Makes `folder`, into which all pictures were written, a study that is not open yet. `passphrase`: without one a key is kept
    in the settings folder of this user."""
    write_items(folder, items)
    sealed = seal(truth, passphrase or new_key(protocol.study))
    write_bytes(folder / TRUTH, sealed, private=True)
    _write(folder, StudyFile(protocol=protocol, sha256=protocol.sha256, commitment=commitment(sealed)))


class StudyFolder:
    """The study at `path`. Raises `FileRefused` where there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pictures = Pictures(path)
        self.file = study_file(self.pictures)

    @property
    def protocol(self) -> Protocol:
        return self.file.protocol

    @property
    def opened(self) -> bool:
        """Whether it may be read, and may no longer be changed."""
        return bool(self.file.opened)

    @property
    def needs_passphrase(self) -> bool:
        return needs_passphrase(self.path / TRUTH)

    def truth(self, passphrase: str = "") -> Truth:
        """What the pictures are. Raises `FileRefused` where it does not open, or is not the one that was committed to."""
        sealed = self.path / TRUTH
        truth = unseal(sealed, passphrase or kept_key(self.protocol.study))
        exchanged = self.opened and commitment(sealed.read_bytes()) != self.file.commitment
        if exchanged or truth.protocol != self.file.sha256:
            raise FileRefused(sealed, "is not the truth that this study was opened with.", "Take the one from before.")
        return truth

    def record(self, *, writing: bool = True) -> StudyRecord:
        """The record of an open study, to be closed by the caller."""
        self.refuse_unless_open()
        return StudyRecord(self.path / RECORD, study=self.file.sha256, writing=writing)

    def change(self, protocol: Protocol, truth: Truth, passphrase: str = "") -> StudyFolder:
        """A draft with another protocol or plan; `truth` is the present one with what was changed. An open study refuses."""
        self.refuse_if_open()
        if protocol.study != self.protocol.study:
            raise CtmriError("Another study has another number: make a new one.")
        sealed = seal(truth.model_copy(update={"protocol": protocol.sha256}), passphrase or kept_key(protocol.study))
        write_bytes(self.path / TRUTH, sealed, private=True)
        _write(self.path, StudyFile(protocol=protocol, sha256=protocol.sha256, commitment=commitment(sealed)))
        return StudyFolder(self.path)

    def open(self, now: str, version: str, said: dict[str, Any], passphrase: str = "") -> StudyFolder:
        """Draws the order of every reader and fixes the study. `now`: UTC, ISO 8601; `said`: of the leak audit, and why it was
        overridden where it was: is sealed with the truth, since who sits here may be a reader, and fixed by its commitment.
        Raises `CtmriError` where the order cannot be kept."""
        self.refuse_if_open()
        truth = self.truth(passphrase)
        assignments = [assign(self.protocol, truth.plan, truth.items, reader) for reader in truth.plan.readers]
        if not assignments:
            raise CtmriError("The study has no readers. Name at least one by a code.")
        write_alike(self.path, self.pictures)
        truth = truth.model_copy(update={"said": said})
        sealed = seal(truth, passphrase or kept_key(self.protocol.study))
        write_bytes(self.path / TRUTH, sealed, private=True)
        file = self.file.model_copy(update={"opened": now, "version": version, "commitment": commitment(sealed)})
        for assignment in assignments:
            self._write_order(assignment, truth)
        for stale in (self.path / RECORD, (self.path / RECORD).with_suffix(".reserve")):
            stale.unlink(missing_ok=True)  # of an opening that was interrupted: nobody could read yet
        with StudyRecord.create(self.path / RECORD, self.file.sha256) as record:
            facts = {"protocol": file.sha256, "commitment": file.commitment, "version": version}
            record.append("opened", "", facts)
            for assignment in assignments:
                record.append("reader", assignment.reader, _order_facts(assignment))
        _write(self.path, file)
        return StudyFolder(self.path)

    def add_reader(self, reader: str, passphrase: str = "") -> None:
        """One more reader of an open study, on record. Raises `CtmriError` where there is one of that code, or it is closed."""
        wrong = codes_problem([reader])
        if wrong:
            raise CtmriError(wrong)
        if reader.casefold() in {known.casefold() for known in self.readers}:
            raise CtmriError(f"{reader} is a reader of this study already.")
        truth = self.truth(passphrase)
        assignment = assign(self.protocol, truth.plan, truth.items, reader)
        with self.record() as record:
            if is_closed(record.entries("closed"), record.origin):
                raise CtmriError("This study is closed: nobody can read it any more.")
            self._write_order(assignment, truth)
            record.append("changed", "", {"what": "reader added after the opening", "reader": reader})
            record.append("reader", reader, _order_facts(assignment))

    @property
    def readers(self) -> tuple[str, ...]:
        """Of an open study, by the order of their names."""
        return readers_in(self.pictures)

    def order(self, reader: str) -> Order:
        """Raises `FileRefused` where the study does not know the reader."""
        return order_of(self.pictures, self.file, reader)

    def _write_order(self, assignment: Assignment, truth: Truth) -> None:
        told = feedback(self.protocol, truth, assignment) if self.protocol.practice_feedback else ()
        order = Order(study=self.file.sha256, assignment=assignment, feedback=told)
        write_bytes(self.path / order_name(assignment.reader), canonical(order))

    def refuse_unless_open(self) -> None:
        """Raises `CtmriError` where nobody can read it yet."""
        if not self.opened:
            raise CtmriError("This study is not open yet. Open it first; then its order and its questions are fixed.")

    def refuse_if_open(self) -> None:
        """Raises `WriteFailed` where nothing may be changed any more."""
        if self.opened:
            raise WriteFailed("This study is open: its questions, pictures and order are fixed. Make a new one to change them.")


def study_file(pictures: Pictures) -> StudyFile:
    """`study.json` beside the pictures. Raises `FileRefused` where it is damaged, or its protocol has another hash."""
    try:
        return StudyFile.model_validate_json(pictures.read(STUDY)).checked(pictures.place)
    except ValidationError as error:
        raise FileRefused(pictures.place, "has a damaged study.json.", "Ask for it once more, or update this program.") from error


def order_of(pictures: Pictures, study: StudyFile, reader: str) -> Order:
    """The trials of `reader`. Raises `FileRefused` where there are none, or they belong to another study."""
    known = readers_in(pictures)
    if reader not in known:
        told = f"It has {', '.join(known)}." if known else "It has none."
        raise FileRefused(pictures.place, f"has no reader {reader}.", f"{told} Large and small letters count.")
    try:
        order = Order.model_validate_json(pictures.read(order_name(reader)))
    except ValidationError as error:
        raise FileRefused(pictures.place, f"has a damaged order of {reader}.", "Ask for it once more.") from error
    if order.study != study.sha256 or order.assignment.reader != reader:
        raise FileRefused(pictures.place, f"has an order of {reader} from another study.", "Ask for it once more.")
    return order


def readers_in(pictures: Pictures) -> tuple[str, ...]:
    """Whose orders are beside the pictures, by their codes."""
    return tuple(name.removesuffix(".json") for name in pictures.names_in(ORDERS) if name.endswith(".json"))


def order_name(reader: str) -> str:
    """Of a reader's order, inside of the study's folder or of the packed file."""
    return f"{ORDERS}/{reader}.json"


def feedback(protocol: Protocol, truth: Truth, assignment: Assignment) -> tuple[Feedback, ...]:
    """What is right in the practice block, of designs where one answer is."""
    known = {item.token: item for item in truth.items}
    told = []
    for trial in assignment.trials:
        items = [known[token] for token in trial.items]
        synthetic = [item.arm != REAL for item in items]
        if trial.block != "practice" or protocol.design in ("rank", "grading"):
            continue
        if protocol.design == "diagnosis":
            reference = items[0].reference
            right = "present" if reference is not None and reference.present else "absent"
        elif protocol.design == "two_alternatives":
            right = str(synthetic.index(True))
        else:
            right = "synthetic" if synthetic[0] else "real"
        told.append(Feedback(trial=trial.token, right=right))
    return tuple(told)


def _order_facts(assignment: Assignment) -> dict[str, Any]:
    return {"seed": assignment.seed, "numpy": assignment.numpy, "trials": len(assignment.trials),
            "order": hashlib.sha256(canonical(assignment)).hexdigest()}  # fmt: skip


def _write(folder: Path, file: StudyFile) -> None:
    write_bytes(folder / STUDY, file.model_dump_json(indent=1).encode())
