"""Makes the verdict on a run: its models, and what they are held against, translate the validation patients as a user would.

A patient's prepared slices become a volume again, which goes through `inference` with each model's own recipe; so models of other
recipes and spacings are judged alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ctmri_core.data.dataset import DatasetFolder, DatasetIndex
from ctmri_core.data.layouts.phantoms import seeds_of
from ctmri_core.data.preparation import prepared_folder
from ctmri_core.data.prepared_slices import PreparedCase
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused, TrainingFailed, shown_name
from ctmri_core.events import Event, Progress, StopSignal, Work, now, relayed
from ctmri_core.files import write_bytes
from ctmri_core.inference.translate import translate
from ctmri_core.model_card import LAST, TrainingData, list_models
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.registry import validated_config
from ctmri_core.resources_folder import resources_folder
from ctmri_core.training.judged_cases import JudgedCase, Pictures, patients_of, read_case, training_mean
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.validation import ScoreSums
from ctmri_core.training.verdict import (
    NO_PAIRS,
    WHO,
    CasePicture,
    Contender,
    Difference,
    DirectionVerdict,
    PatientScores,
    Verdict,
    Who,
    amount,
)
from ctmri_core.training.verdict_pictures import ShownSlice, write_case

_RANGE = "% of the range"
_OUTLINES = "There is no verdict on models that outline: Dice and IoU on the validation patients stand on the model's card."
_CONVENTIONS = (
    "Errors are mean absolute errors inside the body of each validation patient; PSNR is over the recipe's whole range, SSIM the"
    " mean over slices (7 x 7 window). Models translate a patient's prepared slices as the program translates any scan.",
    "The source as it is: its picture, black for black and white for white, taken for one of the target.",
    "The training mean: the mean of the target inside the body of the training slices, everywhere.",
    "Intervals are 95 % bootstrap intervals of the mean over patients.",
)
_SAME_HEADS = "Both learnt from digital heads: the shipped model may know some of these."
_OTHER_HEADS = "Both learnt from digital heads; none of these is among those of the shipped model."
_OTHER_SCALE = "The shipped model scales MR in another way than these data; its error is partly that."


def judged(folder: RunFolder, stop: StopSignal) -> Work[Verdict | None]:
    """See `verdict.judge`."""
    plan = RunPlan.read(folder.read_config())
    data = prepared_folder(plan.data) or DatasetFolder(folder.prepared)
    index = data.read()
    directions: list[DirectionVerdict] = []
    for path in _best_models(folder, plan.direction):
        found = yield from _Judging(folder, index, data.path, load_model(path), path.name, stop).verdict()
        if found is None:
            return None
        directions.append(found)
    verdict = Verdict(made=now(), directions=tuple(directions), conventions=_CONVENTIONS)
    write_bytes(folder.verdict, verdict.model_dump_json(indent=1).encode(), private=True)
    return verdict


def _other_heads(what: str, learnt: Sequence[TrainingData]) -> bool:
    """Whether `what` tells of digital heads of which no model that `learnt` from those can know one."""
    own, theirs = seeds_of(what), [seeds_of(data.what) for data in learnt if data.phantom]
    return own is not None and all(seeds is not None and not set(own) & set(seeds) for seeds in theirs)


def _best_models(folder: RunFolder, own: Direction) -> list[Path]:
    """One file for each direction, the run's own first. Raises `TrainingFailed` where there is none, `ModelRefused`."""
    found: dict[str, Path] = {}
    for entry in sorted(list_models([folder.models]), key=lambda entry: entry.path.stem.endswith(LAST)):
        if entry.card is None:
            raise ModelRefused(entry.problem)
        found.setdefault(entry.card.direction.name, entry.path)
    if not found:
        raise TrainingFailed(f"{shown_name(folder.path)} holds no model yet: train until the first validation, or stop the run.")
    return [found[name] for name in sorted(found, key=lambda name: name != own.name)]


@dataclass
class _Extreme:
    """The best or the worst patient so far, and the slice of it that is shown."""

    error: float
    patient: int
    shown: ShownSlice


class _Judging:
    """Of one direction."""

    def __init__(
        self, folder: RunFolder, index: DatasetIndex, data: Path, model: LoadedModel, name: str, stop: StopSignal
    ) -> None:  # fmt: skip
        self._folder, self._index, self._data, self._stop = folder, index, data, stop
        self._file = name
        self._models: dict[Who, LoadedModel] = {"own": _as_prepared(model)}
        self._direction = model.card.direction
        self._recipe = index.recipe
        self._scale = index.recipe.intensity(self._direction.target).nominal
        self._slices = 0
        self._best: _Extreme | None = None
        self._worst: _Extreme | None = None

    def verdict(self) -> Work[DirectionVerdict | None]:
        """None when stopped."""
        if self._direction.target is Domain.MASK:
            return self._said(problem=_OUTLINES)
        patients = patients_of(self._index, self._data, self._direction)
        if not patients:
            return self._said(problem=NO_PAIRS)
        if shipped := _shipped(self._direction):
            self._models["shipped"] = shipped
        train = self._index.files_of("train", self._data)
        mean = training_mean(train, self._direction.target, self._recipe)
        who: tuple[Who, ...] = ("own", "nothing", "training_mean", *(("shipped",) if shipped else ()))
        scores: dict[Who, list[PatientScores]] = {each: [] for each in who}
        for number, cases in enumerate(patients, 1):
            try:
                found = yield from self._patient(number, len(patients), cases, who, mean)
            except ModelRefused as refusal:
                return self._said(problem=f"Not worth keeping: {refusal}")
            if found is None:
                return None
            for each, of_patient in found.items():
                scores[each].append(of_patient)
        contenders = tuple(Contender(who=each, name=self._name(each), scores=tuple(scores[each])) for each in who)
        return self._said(
            slices=self._slices, contenders=contenders, pictures=self._pictures(len(patients)),
            differences=tuple(Difference.between(contenders[0], other) for other in contenders[1:]),
            remarks=tuple(self._remarks(shipped, mean)),
        )  # fmt: skip

    def _patient(
        self, number: int, count: int, cases: Sequence[PreparedCase], who: Sequence[Who], mean: float
    ) -> Work[dict[Who, PatientScores] | None]:
        sums: dict[Who, ScoreSums] = {each: ScoreSums(self._scale) for each in who}
        shown: list[tuple[float, ShownSlice]] = []
        every_slice = any(validated_config(model.card).context > 1 for model in self._models.values())
        for case in cases:
            part = read_case(case, self._direction, self._recipe, every_slice=every_slice)
            self._slices += len(part.counted)
            for each in who:
                made = yield from self._made(each, part, mean, f"patient {number} of {count}: {WHO[each]}", number - 1, count)
                if made is None:
                    return None
                kept = part.counted
                sums[each].add(made[kept, None], part.target[kept, None], part.body[kept, None])
                if each == "own":
                    shown += self._shown(part, made)
        scores = {each: self._scores(number, one) for each, one in sums.items()}
        self._remember(number, scores["own"].error, shown)
        return scores

    def _made(self, who: Who, part: JudgedCase, mean: float, message: str, done: int, count: int) -> Work[Pictures | None]:
        """(n, h, w) in the target's unit; None when stopped."""
        yield Progress(done=done, total=count, unit="patients", message=message)
        if self._stop():
            return None
        if who == "nothing":
            return part.source
        if who == "training_mean":
            return np.full_like(part.target, self._scale.to_unit(np.array([mean]))[0])
        model = self._models[who]

        def told(event: Event) -> Event | None:
            return Progress(done=done, total=count, unit="patients", message=message) if isinstance(event, Progress) else None

        translating = translate(part.volume(self._direction, self._recipe), model, stop=self._stop)
        volume = yield from relayed(translating, told)
        if volume is None:
            return None
        own = model.card.recipe.intensity(self._direction.target).nominal
        values = volume.voxels.astype(np.float32)
        if self._direction.target.is_mr:  # of no unit: black and white are what counts
            values = (values - own.low) / (own.high - own.low) * (self._scale.high - self._scale.low) + self._scale.low
        return self._scale.to_unit(values)

    def _scores(self, number: int, sums: ScoreSums) -> PatientScores:
        metrics = sums.scores(self._direction).metrics
        error = metrics["mae_hu"] if self._direction.target is Domain.CT else metrics["mae_percent"]
        return PatientScores(patient=number, error=error, psnr_db=metrics["psnr_db"], ssim=metrics["ssim"])

    def _shown(self, part: JudgedCase, made: Pictures) -> Iterator[tuple[float, ShownSlice]]:
        """The slices that count with their errors in [-1, 1]."""
        for n in part.counted:
            body = part.body[n]
            error = float(np.abs(made[n] - part.target[n])[body].mean()) if body.any() else 0.0
            yield error, ShownSlice(part.source[n], made[n], part.target[n], body)

    def _remember(self, number: int, error: float, shown: list[tuple[float, ShownSlice]]) -> None:
        """Of the best and the worst patient the slice whose error is the middle one."""
        middle = sorted(shown, key=lambda each: each[0])[len(shown) // 2][1].copy()
        if self._best is None or error < self._best.error:
            self._best = _Extreme(error, number, middle)
        if self._worst is None or error >= self._worst.error:
            self._worst = _Extreme(error, number, middle)

    def _pictures(self, patients: int) -> tuple[CasePicture, ...]:
        """Of one patient, who is both, one picture."""
        extremes: list[tuple[Literal["best", "worst"], _Extreme | None]] = [("best", self._best)]
        extremes += [("worst", self._worst)] if patients > 1 else []
        return tuple(self._picture(which, extreme, patients) for which, extreme in extremes if extreme is not None)

    def _picture(self, which: Literal["best", "worst"], extreme: _Extreme, patients: int) -> CasePicture:
        who = f"The {which} of {patients} patients" if patients > 1 else "The only patient"
        caption = f"{who}, mean error {amount(extreme.error, self._unit)}: a slice of its middle error"
        path = self._folder.verdict_pictures / f"{self._direction.name}-{which}.png"
        write_case(path, extreme.shown, self._direction, self._recipe, caption)
        file = path.relative_to(self._folder.path).as_posix()
        return CasePicture(file=file, which=which, patient=extreme.patient, error=extreme.error, caption=caption)

    def _remarks(self, shipped: LoadedModel | None, mean: float) -> Iterator[str]:
        is_ct = self._direction.target is Domain.CT
        yield f"The training mean is {mean:.0f} {'HU' if is_ct else f'of {self._scale.high:.0f}'}."
        if shipped is None:
            yield f"The program ships no model for {self._direction.label}."
        elif self._index.phantom and any(data.phantom for data in shipped.card.training_data):
            yield _OTHER_HEADS if _other_heads(self._index.what, shipped.card.training_data) else _SAME_HEADS
        if shipped is not None and not is_ct and shipped.card.recipe.mr != self._recipe.mr:
            yield _OTHER_SCALE

    @property
    def _unit(self) -> str:
        return "HU" if self._direction.target is Domain.CT else _RANGE

    def _name(self, who: Who) -> str:
        return self._models[who].card.name if who in self._models else ""

    def _said(self, **found: object) -> DirectionVerdict:
        facts = {
            "direction": self._direction.name, "label": self._direction.label, "model": self._file, "unit": self._unit,
            "weights_sha256": self._models["own"].card.weights_sha256,
        }  # fmt: skip
        return DirectionVerdict.model_validate({**facts, **found})


def _as_prepared(model: LoadedModel) -> LoadedModel:
    """The run's own model for slices that have been through the steps on the whole volume: not twice."""
    recipe = model.card.recipe.model_copy(update={"bias_field": None, "only_body": False})
    return LoadedModel(model.generator, model.card.model_copy(update={"recipe": recipe}))


def _shipped(direction: Direction) -> LoadedModel | None:
    """The model of this very direction that comes with the program."""
    entries = list_models([resources_folder() / "models"])
    path = next((entry.path for entry in entries if entry.card is not None and entry.card.direction == direction), None)
    return None if path is None else load_model(path)
