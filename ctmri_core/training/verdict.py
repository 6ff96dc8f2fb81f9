"""What the models of a run are worth, beside nothing at all, one grey value, and what the program ships. No torch at import.

Errors are mean absolute errors inside the body of validation patients: HU for CT, percent of the range for MR. The others in the
comparison: the source's picture as it is, black for black and white for white, taken for one of the target; the mean value of the
target inside the body of the training slices, everywhere; and the model of the same direction that comes with the program.
"""

from __future__ import annotations

import statistics
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.errors import FileRefused, ModelRefused
from ctmri_core.events import StopSignal, Work
from ctmri_core.model_card import read_card
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.training.run_folder import RunFolder

FEWEST_PATIENTS = 5
"""With fewer, neither intervals nor counts say much."""

Who = Literal["own", "nothing", "training_mean", "shipped"]
Measure = Literal["error", "psnr_db", "ssim"]
WHO: dict[Who, str] = {
    "own": "this model", "nothing": "the source as it is", "training_mean": "the training mean", "shipped": "the shipped model",
}  # fmt: skip
NO_PAIRS = "No verdict: no validation patient shows both pictures at one place, so there is nothing to compare with."


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PatientScores(_Frozen):
    """Of one patient, numbered from 1 in the order of the data. `error` in the direction's unit."""

    patient: int = Field(ge=1)
    error: float
    psnr_db: float
    ssim: float


class Contender(_Frozen):
    """One way to come from source to target. `name`: of the model, where it is one; `scores`: of all patients, in order."""

    who: Who
    name: str = ""
    scores: tuple[PatientScores, ...]

    @property
    def label(self) -> str:
        """For people: `the training mean`."""
        return WHO[self.who]

    def values(self, measure: Measure) -> list[float]:
        return [getattr(scores, measure) for scores in self.scores]

    def mean(self, measure: Measure) -> float:
        return statistics.fmean(self.values(measure))

    def sd(self, measure: Measure) -> float | None:
        """Standard deviation over patients; None of one."""
        return statistics.stdev(self.values(measure)) if len(self.scores) > 1 else None


class Difference(_Frozen):
    """How much smaller the own model's error is than that of `against`, patient by patient, in the direction's unit.

    `low`, `high`: 95 % bootstrap interval of the mean over patients, None of one patient; `better_on`: patients with a smaller
    error.
    """

    against: Who
    mean: float
    low: float | None = None
    high: float | None = None
    better_on: int = Field(ge=0)
    patients: int = Field(ge=1)

    @classmethod
    def between(cls, own: Contender, other: Contender) -> Difference:
        gains = np.array(other.values("error")) - np.array(own.values("error"))
        low, high = interval(gains) if len(gains) > 1 else (None, None)
        better = int(np.count_nonzero(gains > 0))
        return cls(against=other.who, mean=float(gains.mean()), low=low, high=high, better_on=better, patients=len(gains))

    @property
    def clear(self) -> bool:
        """Whether the own model is better beyond chance; of a few patients, on all of them."""
        if self.patients < FEWEST_PATIENTS or self.low is None:
            return self.better_on == self.patients
        return self.low > 0


class CasePicture(_Frozen):
    """`file` in the run folder: source, synthetic, truth and absolute difference of one slice, side by side."""

    file: Annotated[str, Field(max_length=200)]
    which: Literal["best", "worst"]
    patient: int = Field(ge=1)
    error: float
    caption: str


class DirectionVerdict(_Frozen):
    """Of one direction's model. `unit` of errors; `differences`: to each other contender; `problem`: why there are no scores.

    `model`: name of the file in the run's `models` folder, `weights_sha256` of the weights that were judged.
    """

    direction: str
    label: str
    model: str
    weights_sha256: str
    unit: str
    slices: int = 0
    contenders: tuple[Contender, ...] = ()
    differences: tuple[Difference, ...] = ()
    pictures: tuple[CasePicture, ...] = ()
    remarks: tuple[str, ...] = ()
    problem: str = ""

    @property
    def patients(self) -> int:
        return len(self.contenders[0].scores) if self.contenders else 0

    @property
    def worth_keeping(self) -> bool | None:
        """Whether the model beats both doing nothing and one grey value; None where that cannot be told."""
        simple = self._simple()
        return all(each.clear for each in simple) if simple else None

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        simple = self._simple()
        if not simple:
            return self.problem
        hardest = min(simple, key=lambda each: (each.clear, each.mean))
        few = "" if self.patients >= FEWEST_PATIENTS else f" {_few(self.patients)}"
        return f"{self._against_simple(hardest)}{self._against_shipped()}{few}"

    def difference(self, against: Who) -> Difference | None:
        return next((each for each in self.differences if each.against == against), None)

    def _simple(self) -> list[Difference]:
        return [each for each in self.differences if each.against in ("nothing", "training_mean")]

    def _against_simple(self, hardest: Difference) -> str:
        other = WHO[hardest.against]
        if hardest.clear:
            return f"Worth keeping: {self._amount(hardest.mean)} better than {other} on {_of(hardest)}."
        if hardest.mean <= 0:
            what = "one grey value" if hardest.against == "training_mean" else "leaving the picture as it is"
            return f"Not worth keeping: no better than {what}."
        so_far = f"{self._amount(hardest.mean)} better than {other} on average, but only on {_of(hardest)}"
        return f"Not worth keeping yet: {so_far}, which may be chance."

    def _against_shipped(self) -> str:
        shipped = self.difference("shipped")
        if shipped is None:
            return ""
        if shipped.mean >= 0:
            return f" It is {self._amount(shipped.mean)} better than the shipped model on {_of(shipped)}."
        worse_on = f"{shipped.patients - shipped.better_on} of {shipped.patients} patients"
        return f" The shipped model is {self._amount(-shipped.mean)} better on {worse_on}."

    def _amount(self, value: float) -> str:
        return amount(value, self.unit)


class Verdict(_Frozen):
    """Of all directions that a run has learnt, its own first. `conventions`: how it was measured, in words."""

    format: Literal["ctmri-verdict-1"] = "ctmri-verdict-1"
    made: datetime
    directions: Annotated[tuple[DirectionVerdict, ...], Field(min_length=1)]
    conventions: tuple[str, ...] = ()

    @property
    def worth_keeping(self) -> bool | None:
        return self.directions[0].worth_keeping

    @property
    def sentence(self) -> str:
        return self.directions[0].sentence


def judge(run_folder: str | Path, stop: StopSignal) -> Work[Verdict | None]:
    """Compares the best model of each direction that the run has learnt, and keeps the verdict in its folder with pictures of the
    best and the worst case. None when stopped.

    Raises `FileRefused` where the run or its data cannot be read, `TrainingFailed` where there is no model yet, `OutOfMemory`.
    """
    from ctmri_core.training.judging import judged

    return (yield from judged(RunFolder(run_folder), stop))


def read_verdict(run_folder: str | Path) -> Verdict | None:
    """What `judge` kept; None where it was never asked, or the models are others by now. Raises `FileRefused` when damaged."""
    folder = RunFolder(run_folder)
    try:
        verdict = Verdict.model_validate_json(folder.verdict.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise FileRefused(folder.verdict, "cannot be read.", "Ask for the verdict again.") from error
    try:
        now = [read_card(folder.models / each.model).weights_sha256 for each in verdict.directions]
    except ModelRefused:
        return None
    return verdict if now == [each.weights_sha256 for each in verdict.directions] else None


def amount(value: float, unit: str) -> str:
    """`38 HU`, `5.1 % of the range`."""
    return f"{value:.0f} {unit}" if abs(value) >= 9.95 else f"{value:.1f} {unit}"


def _of(difference: Difference) -> str:
    return f"{difference.better_on} of {difference.patients} patient{'s' if difference.patients > 1 else ''}"


def _few(patients: int) -> str:
    return f"{'One patient says' if patients == 1 else f'{patients} patients say'} little: this may be chance."
