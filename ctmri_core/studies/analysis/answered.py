"""Answers to trials of the test, each with what is true of it, and the tables of readings that statistics take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis.found import ALL
from ctmri_core.studies.analysis.gather import Gathered
from ctmri_core.studies.protocol import Design, Protocol
from ctmri_core.studies.trials import Answer, Assignment, Trial
from ctmri_core.studies.truth import REAL, ItemTruth, Truth


@dataclass(frozen=True)
class Row:
    """`items`: in the order shown. `repeats`: the token of the trial that this one shows again, empty for the first."""

    trial: Trial
    answer: Answer
    items: tuple[ItemTruth, ...]
    design: Design
    repeats: str = ""

    @property
    def reader(self) -> str:
        return self.answer.reader

    @property
    def item(self) -> ItemTruth:
        """The one picture; of two alternatives the synthetic one, whose pair it is."""
        return next((item for item in self.items if item.arm != REAL), self.items[0])

    @property
    def signal(self) -> bool:
        """Whether there was something to tell: a synthetic picture, or the finding."""
        if self.design == "diagnosis":
            reference = self.item.reference
            return reference is not None and reference.present
        return self.item.arm != REAL

    @property
    def called(self) -> bool:
        """Whether the reader said signal; of two alternatives, pointed at the synthetic one."""
        if self.design == "two_alternatives":
            return self.items[int(self.answer.choice)].arm != REAL
        return self.answer.choice in ("synthetic", "present")

    @property
    def right(self) -> bool:
        return self.called == self.signal

    @property
    def score(self) -> float:
        """Higher for signal: of six levels without 0; of two alternatives 1 for right and 0 for wrong."""
        if self.design == "two_alternatives":
            return float(self.called)
        return (1.0 if self.called else -1.0) * (self.answer.confidence or 1)

    @property
    def seconds(self) -> float:
        """Until the answer, less what another window had the keys."""
        return max(0.0, self.answer.response_ms - self.answer.focus_lost_ms) / 1000


class Answered:
    """The rows of a study: `first` those that count, `again` the repeats. `finished`: readers who answered every test trial."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.truth: Truth = gathered.known_truth()
        self.protocol: Protocol = gathered.file.protocol
        self.design: Design = self.protocol.design
        self._truth_of = {item.token: item for item in self.truth.items}
        rows = [row for reader, order in gathered.assignments.items() for row in self._rows(reader, order)]
        self.first = tuple(row for row in rows if not row.repeats)
        self.again = tuple(row for row in rows if row.repeats)

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """With an answer to a test trial."""
        return tuple(sorted({row.reader for row in self.first}))

    @cached_property
    def finished(self) -> tuple[str, ...]:
        done = Counter(row.reader for row in (*self.first, *self.again))
        expected = {reader: len(test_trials(order)) for reader, order in self.gathered.assignments.items()}
        return tuple(reader for reader in self.readers if done[reader] == expected[reader])

    @cached_property
    def pooled(self) -> tuple[str, ...]:
        """Readers whose answers are analysed together: those who finished, or all, on what all have read, where fewer than two
        did. The rule is fixed, so that nobody chooses readers by their results."""
        return self.finished if len(self.finished) > 1 else self.readers

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """In the order of the study, those with a picture in the test; `real` first."""
        shown = {item.arm for item in self.truth.items if item.block == "test"}
        return tuple(arm for arm in (REAL, *(one.name for one in self.truth.arms if one.synthetic)) if arm in shown)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(arm for arm in self.arms if arm != REAL)

    def of(self, reader: str, rows: Iterable[Row] | None = None) -> list[Row]:
        return [row for row in (self.first if rows is None else rows) if row.reader == reader]

    @cached_property
    def key(self) -> dict[str, str]:
        """Of each picture by token, what pictures of one case by several arms share: case, slice, and a number where that is not
        enough."""
        counts: Counter[tuple[str, str, int | None]] = Counter()
        keys = {}
        for item in self.truth.items:
            place = item.arm, item.case, item.k
            counts[place] += 1
            parts = [item.case, *([] if item.k is None else [f"slice {item.k + 1}"])]
            if item.reference is not None:
                parts.append("with" if item.reference.present else "without")
            keys[item.token] = " ".join([*parts, *([f"({counts[place]})"] if counts[place] > 1 else [])])
        return keys

    def _rows(self, reader: str, order: Assignment) -> Iterable[Row]:
        again = order.repeats
        given = {answer.trial: answer for answer in self.gathered.answers if answer.reader == reader}
        for trial in test_trials(order):
            answer = given.get(trial.token)
            if answer is not None:
                items = tuple(self._truth_of[token] for token in trial.items)
                yield Row(trial, answer, items, self.design, again.get(trial.token, ""))


def test_trials(order: Assignment) -> tuple[Trial, ...]:
    return tuple(trial for trial in order.trials if trial.block == "test")


def all_together(rows: Sequence[Row]) -> Readings:
    """One modality, each picture (or pair) a case under its token."""
    table = [(row.reader, row.item.token, ALL, row.score) for row in rows]
    patients = {row.item.token: row.item.patient for row in rows}
    return Readings.of(table, {row.item.token: row.signal for row in rows}, patients)


def by_model(rows: Sequence[Row], models: Sequence[str], key: dict[str, str]) -> Readings:
    """A modality for each model, its pictures under what they share with those of the other models; real ones under each."""
    table, signal, patients = [], {}, {}
    for row in rows:
        name = f"{'' if row.item.arm == REAL else 'synthetic '}{row.item.token if row.item.arm == REAL else key[row.item.token]}"
        signal[name], patients[name] = row.signal, row.item.patient
        table += [(row.reader, name, model, row.score) for model in ([row.item.arm] if row.item.arm != REAL else models)]
    return Readings.of(_in_order(table, models), signal, patients)


def by_arm(rows: Sequence[tuple[str, ItemTruth, float]], arms: Sequence[str], key: dict[str, str]) -> Readings:
    """A modality for each arm, real among them, from (reader, picture, score); a case is what the arms share."""
    table = [(reader, key[item.token], item.arm, score) for reader, item, score in rows]
    present = {key[item.token]: item.reference is not None and item.reference.present for _, item, _ in rows}
    return Readings.of(_in_order(table, arms), present, {key[item.token]: item.patient for _, item, _ in rows})


def grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """By reader."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.reader].append(row)
    return found


def _in_order(table: list[tuple[str, str, str, float]], modalities: Sequence[str]) -> list[tuple[str, str, str, float]]:
    place = {name: number for number, name in enumerate(modalities)}
    return sorted(table, key=lambda row: place[row[2]])
