"""A reader who is none: answers every open trial of a study by what the pictures are, plus chance.

For rehearsals and tests. What each picture is comes from the truth, so only who can open that can simulate; the answers go the
way of all answers, and the record says whose they are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ctmri_core.studies.protocol import Protocol, Question
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.trials import Answer, Mark, Monitor, ReaderFacts, Trial, Viewing
from ctmri_core.studies.truth import REAL, ItemTruth

SIMULATED = "simulated"
"""Stands in the record as the specialty of such a reader."""
_HARD = 0.5
"""Share of the variance of what is seen that a picture brings along: all readers find it hard, or easy."""
_PALER = 0.6
"""Of how far a finding stands out on real pictures, what it does on synthetic ones: models miss some."""
_LEAST, _MOST = 0.5, 0.999


def simulate(folder: Path, reader: str, skill: float, seed: int, passphrase: str = "") -> None:
    """Reads all that `reader` has not answered of the open study `folder`.

    `skill`: the share that is right in the long run, from 0.5 (guesses) to 1; pace and bias follow from `seed`. Raises
    `CtmriError` where the study is not open, is closed, or its truth does not open.
    """
    study = StudyFolder(folder)
    known = {item.token: item for item in study.truth(passphrase).items}
    with Reading(folder, reader) as reading:
        person = _Person(reading.protocol, reader, skill, seed)
        if reading.facts is None:
            reading.introduce(ReaderFacts(reader=reader, years=person.years, specialty=SIMULATED))
        reading.begin(Monitor(width=1920, height=1080, pixel_ratio=1, depth=8, note=SIMULATED, patches=True))
        while (trial := reading.next_trial) is not None:
            slices = max(reading.item(token).shape[0] for token in trial.items)
            reading.answer(person.answer(reading.session, trial, known, slices))
        reading.finish()


class _Person:
    def __init__(self, protocol: Protocol, reader: str, skill: float, seed: int) -> None:
        from scipy.special import ndtri

        self.protocol, self.reader = protocol, reader
        self.chance = np.random.default_rng([seed, *reader.encode()])
        self.far = 2 * float(ndtri(min(max(skill, _LEAST), _MOST)))
        """Between both kinds of picture, in standard deviations of what is seen."""
        self.bias = float(self.chance.normal(0, 0.3))
        self.pace_ms = float(self.chance.uniform(3500, 9000))
        self.years = float(self.chance.integers(2, 25))
        self.clock = datetime.now(UTC)

    def answer(self, session: int, trial: Trial, known: Mapping[str, ItemTruth], slices: int) -> Answer:
        shown = [known[token] for token in trial.items]
        choice, confidence = self._choice(shown)
        taken = self.pace_ms * float(np.exp(self.chance.normal(0, 0.35))) * (1.3 if confidence == 1 else 1.0)
        begun, self.clock = self.clock, self.clock + timedelta(milliseconds=taken)
        telling = choice == "synthetic" and self.protocol.reasons
        return Answer(
            reader=self.reader, session=session, trial=trial.token, choice=choice, confidence=confidence,
            reasons=(self.protocol.reasons[int(self.chance.integers(len(self.protocol.reasons)))],) if telling else (),
            marks=self._marks(choice, shown), questions=self._questions(shown),
            shown_at=begun.isoformat(timespec="milliseconds"), first_action_ms=taken / 4, response_ms=taken,
            viewing=Viewing(slices=(max(1, round(slices * float(self.chance.uniform(0.4, 1)))),) * len(shown)),
        )  # fmt: skip

    def _choice(self, shown: Sequence[ItemTruth]) -> tuple[str, int | None]:
        """By how far what is seen lies from where the reader draws the line."""
        design = self.protocol.design
        if design == "grading":
            return "", None
        if design == "rank":
            best = sorted(shown, key=lambda item: -self._seen(item, item.arm == REAL) - 0.25 * _model_bonus(item, shown))
            return ",".join(item.token for item in best), None
        if design == "two_alternatives":
            left, right = (self._seen(item, item.arm != REAL) for item in shown)
            far = (right - left) / math.sqrt(2) + self.bias / 2  # skill is the share that is right of pairs, too
            return ("1" if far > 0 else "0"), _steps(far, (0.3, 0.7, 1.2, 1.8))
        signal = shown[0].arm != REAL
        if design == "diagnosis":
            signal = shown[0].reference is not None and shown[0].reference.present
        far = self._seen(shown[0], signal) + self.bias
        words = ("present", "absent") if design == "diagnosis" else ("synthetic", "real")
        return words[0 if far > 0 else 1], _steps(far, (0.6, 1.4))

    def _seen(self, item: ItemTruth, signal: bool) -> float:
        """Unit variance around half of `far` to either side."""
        design = self.protocol.design
        away = self.far / 2 / (math.sqrt(2) if design in ("two_alternatives", "rank") else 1)
        if design == "diagnosis" and item.arm != REAL:
            away *= _PALER
        own = float(self.chance.standard_normal())
        return (away if signal else -away) + math.sqrt(_HARD) * _difficulty(item.token) + math.sqrt(1 - _HARD) * own

    def _marks(self, choice: str, shown: Sequence[ItemTruth]) -> tuple[Mark, ...]:
        """Of a finding: on it if it is there, or somewhere."""
        if self.protocol.design != "diagnosis" or choice != "present":
            return ()
        reference = shown[0].reference
        place = reference.places[0] if reference is not None and reference.places else (20.0, 90.0, 90.0)
        k, j, i = (float(value + self.chance.normal(0, 3)) for value in place)
        return (Mark(mm=(k, j, i)),)

    def _questions(self, shown: Sequence[ItemTruth]) -> dict[str, str | float | None]:
        return {one.key: self._given(one, shown) for one in self.protocol.questions if one.kind != "mark"}

    def _given(self, question: Question, shown: Sequence[ItemTruth]) -> str | float:
        if question.kind == "text":
            return SIMULATED
        if question.kind == "choice":
            return question.choices[int(self.chance.integers(len(question.choices)))]
        span = question.high - question.low
        liking = 0.72 - 0.12 * sum(item.arm != REAL for item in shown) / len(shown) + 0.08 * _difficulty(shown[0].token)
        value = question.low + span * (liking + 0.12 * float(self.chance.standard_normal()))
        value = min(max(value, question.low), question.high)
        return float(round(value)) if question.kind == "likert" else round(value, 2)


def _model_bonus(item: ItemTruth, shown: Sequence[ItemTruth]) -> float:
    """The first model by name is a little better."""
    return float(item.arm == min((one.arm for one in shown if one.arm != REAL), default=""))


def _difficulty(token: str) -> float:
    """Of a picture, the same for every reader: standard normal."""
    seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:8], "little")
    return float(np.random.default_rng(seed).standard_normal())


def _steps(far: float, ends: Sequence[float]) -> int:
    return 1 + sum(abs(far) > end for end in ends)
