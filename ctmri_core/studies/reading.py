"""A reader's side of a study: pictures, questions, his order of trials, and the record of his answers. Nothing knows the truth.

It is read from the study's folder where it was made, or from a packed file anywhere; answers of a packed file lie beside it, in a
file that is sent back.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ctmri_core.errors import CtmriError, FileRefused, WriteFailed
from ctmri_core.files import check_writable
from ctmri_core.studies.chain import Anchor
from ctmri_core.studies.closing import is_closed
from ctmri_core.studies.pictures import Int16Array, Pictures
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.study_folder import RECORD, order_of, readers_in, study_file
from ctmri_core.studies.trials import Answer, Item, Monitor, ReaderFacts, Trial

PACKED = ".ctmri-reader"
ANSWERS = ".ctmri-answers"
_PATIENCE_MS = 200
"""A reader's window stands still as long as a write waits for another program; it says so instead, and tries again."""
_AWAY = "Keep it, but move it away, and open the study again: it begins anew. Then tell who sent you the study."
_BESIDE = "Answers are written beside the study: put it where there is room and where you may write, and open it there."


class Reading(AbstractContextManager["Reading"]):
    """The study at `place`, a folder or a packed file, for `reader` (of a packed file the only one), from the first trial that is
    not answered on.

    Raises `FileRefused` for what is no open study (or a closed one) or does not know the reader, `WriteFailed` where he reads in
    another window.
    """

    def __init__(self, place: Path, reader: str = "") -> None:
        self.pictures = Pictures(place)
        self.study = study_file(self.pictures)
        if not self.study.opened:
            raise FileRefused(place, "is a study that is not open yet.", "Ask who coordinates it to open it.")
        reader = reader or _only_reader(place, self.pictures)
        self.order = order_of(self.pictures, self.study, reader)
        self.reader = reader
        self._trials = {trial.token: trial for trial in self.order.assignment.trials}
        path = place / RECORD if place.is_dir() else place.with_suffix(ANSWERS)
        try:
            check_writable(path)
        except WriteFailed as error:
            raise WriteFailed(f"{error} {_BESIDE}") from error
        if not path.exists() and not place.is_dir():
            StudyRecord.create(path, self.study.sha256).close()
        self.record = self._record(place, path)
        try:
            self._check_record(place)
            self.session = 1 + len(self.record.entries("session", reader=reader))
            self._answers = {answer.trial: answer for answer in self.record.answers(reader)}
        except BaseException:  # whatever ended it: the lock must go
            self.record.close()
            raise

    def _record(self, place: Path, path: Path) -> StudyRecord:
        try:
            return StudyRecord(path, study=self.study.sha256, patience_ms=_PATIENCE_MS)
        except FileRefused as error:
            if place.is_dir():
                raise
            raise FileRefused(path, error.problem, _AWAY) from error

    def _check_record(self, place: Path) -> None:
        if is_closed(self.record.entries("closed"), self.record.origin):
            raise FileRefused(place, "is a study that is closed.", "Its answers can be analysed; none can be added.")
        if not place.is_dir() and any(entry.reader != self.reader for entry in self.record.entries()):
            way_out = "Move it away: a reader answers in a file of his own."
            raise FileRefused(self.record.path, "holds the answers of another reader.", way_out)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the record go."""
        self.record.close()

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol

    @property
    def trials(self) -> tuple[Trial, ...]:
        """In order: practice, then test."""
        return self.order.assignment.trials

    @property
    def answers(self) -> dict[str, Answer]:
        """By trial, those that count."""
        return dict(self._answers)

    @property
    def next_trial(self) -> Trial | None:
        """The first without an answer, None at the end."""
        return next((trial for trial in self.trials if trial.token not in self._answers), None)

    @property
    def facts(self) -> ReaderFacts | None:
        """What the reader said of himself before; None before the first session."""
        said = self.record.entries("consent", reader=self.reader)
        return ReaderFacts.model_validate(said[-1].payload) if said else None

    def introduce(self, facts: ReaderFacts) -> None:
        """Raises `CtmriError` where the protocol has a text to consent to and it was not consented to."""
        if self.protocol.consent and not facts.consented:
            raise CtmriError("Reading needs your consent to the text of the study. Without it, close this window.")
        self.record.append("consent", self.reader, facts.model_dump(mode="json"))

    def begin(self, monitor: Monitor) -> None:
        """One sitting, on this monitor."""
        self.record.append("session", self.reader, {"number": self.session, "monitor": monitor.model_dump(mode="json")})

    def note(self, kind: Any, **said: Any) -> None:
        """Pauses, trials that were left, the end of a sitting: `record.EntryKind`."""
        self.record.append(kind, self.reader, {"session": self.session, **said})

    def voxels(self, token: str) -> Int16Array:
        """Of one picture, (k, j, i)."""
        return self.pictures.voxels(token)

    def item(self, token: str) -> Item:
        return self.pictures.items[token]

    def right(self, trial: Trial) -> str | None:
        """What a practice trial's right answer was, where the protocol tells it and it was answered; None otherwise."""
        if trial.token not in self._answers:
            return None
        return next((told.right for told in self.order.feedback if told.trial == trial.token), None)

    def answer(self, answer: Answer) -> None:
        """Is on the disk when this returns. Raises `CtmriError` for what is no answer to a trial of this reader, or to one that
        may no longer be changed, `WriteFailed` where it cannot be written."""
        trial = self._trials.get(answer.trial)
        if trial is None or answer.reader != self.reader:
            raise CtmriError("That is an answer to another reader's trial.")
        problem = what_is_missing(self.protocol, trial, answer)
        if problem:
            raise CtmriError(problem)
        before = self._answers.get(answer.trial)
        if before is not None:
            if not self.may_change(trial):
                raise CtmriError("This trial is answered; the study allows no going back.")
            answer = answer.model_copy(update={"revision": before.revision + 1})
        self.record.answer(answer)
        self._answers[answer.trial] = answer

    def may_change(self, trial: Trial) -> bool:
        """Whether a given answer may be changed: where the protocol lets a reader go back, until its block is done."""
        block = [one for one in self.trials if one.block == trial.block]
        return self.protocol.go_back and any(one.token not in self._answers for one in block)

    def finish(self) -> tuple[Anchor, ...]:
        """Ends the sitting on record; the anchors to be shown and written down."""
        with suppress(CtmriError):  # a full disk: what was answered is there
            self.note("left" if self.next_trial else "closed")
        return self.anchors

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """Of the record as it is; none where another program holds it, which must not keep a window from its end."""
        try:
            return self.record.anchors
        except CtmriError:
            return ()


def what_is_missing(protocol: Protocol, trial: Trial, answer: Answer) -> str:
    """Why `answer` does not answer `trial`, in words; empty where it does."""
    allowed = {
        "yes_no": ("real", "synthetic"), "diagnosis": ("present", "absent"), "two_alternatives": ("0", "1"), "grading": ("",),
    }.get(protocol.design)  # fmt: skip
    if allowed is None:
        chosen = answer.choice.split(",")
        if sorted(chosen) != sorted(trial.items):
            return "Put every picture in its place first."
    elif answer.choice not in allowed:
        return "Choose first."
    most = {"yes_no": 3, "diagnosis": 3, "two_alternatives": 5}.get(protocol.design)
    if most is not None and (answer.confidence is None or answer.confidence > most):
        return f"Say how sure you are, from 1 to {most}."
    for question in protocol.questions:
        given = answer.questions.get(question.key)
        if question.kind == "mark":
            given = "x" if any(mark.label == question.key for mark in answer.marks) else None
        if question.compulsory and (given is None or given == ""):
            return f"Answer first: {question.text}"
        if isinstance(given, str) and question.kind == "choice" and given not in question.choices:
            return f"{question.text}: choose one of {', '.join(question.choices)}."
        outside = not isinstance(given, int | float) or not question.low <= given <= question.high
        if question.kind in ("likert", "number") and given is not None and outside:
            return f"{question.text}: from {question.low:g} to {question.high:g}."
    return ""


def _only_reader(place: Path, pictures: Pictures) -> str:
    readers = readers_in(pictures)
    if len(readers) != 1:
        known = f"It has {', '.join(readers)}." if readers else "It has none."
        raise FileRefused(place, "is a study of several readers.", f"Name yours. {known}")
    return readers[0]
