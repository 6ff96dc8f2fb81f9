"""One case of an evaluation: opened, looked at, answered by every model, and handed to be scored."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from ctmri_core.body_models import BodyModel
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError, FileRefused, ModelRefused, Stopped, WriteFailed, WrongInput, told_of
from ctmri_core.evaluation.cases import FoundCase, OpenedCase, Placed
from ctmri_core.evaluation.evaluated_models import Contender
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.picture_folders import placed_labels
from ctmri_core.evaluation.results import Problem
from ctmri_core.evaluation.sanity import of_alignment, of_finished, of_place, of_reading, of_real, of_synthetic
from ctmri_core.evaluation.scene import Scene, placed, set_scene
from ctmri_core.evaluation.scoring import ScoringJob
from ctmri_core.events import Event, Progress, StopSignal, Work, finish, relayed
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate_as
from ctmri_core.inference.value_map import ValueMap
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.volume import Volume

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Answer:
    """Of one model, on the scene's grid."""

    volume: Volume
    spread: ValueMap | None = None
    returned: Volume | None = None
    seconds: float | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class OpenedScene:
    """A case that can be scored, and what was found of it."""

    opened: OpenedCase
    scene: Scene
    problems: tuple[Problem, ...]


class OneCase:
    """`number`: of the case, for words."""

    def __init__(
        self, found: FoundCase, number: int, direction: Direction, order: EvaluationOrder, stop: StopSignal,
        outliner: BodyModel | None = None,
    ) -> None:  # fmt: skip
        self.found, self.number, self.direction, self.order, self.stop = found, number, direction, order, stop
        self._outliner = outliner

    def open(self) -> tuple[OpenedScene | None, tuple[Problem, ...]]:
        """None where it cannot be scored, with problems that say why. Raises `Stopped`."""
        try:
            opened = self.found.load()
        except (Stopped, WriteFailed):
            raise
        except CtmriError as refusal:
            return None, (Problem(kind="unreadable", message=self._said(refusal), left_out=True),)
        problems = list(of_real(opened, self.direction))
        if not _left_out(problems):
            problems += of_alignment(opened, self.direction)
        if _left_out(problems):
            return None, tuple(problems)
        try:
            outlined = self._outlined(opened)
        except WrongInput as refusal:
            return None, (*problems, Problem(kind="empty_mask", message=self._said(refusal), left_out=True))
        scene, found = set_scene(opened, finished=bool(self.order.predictions), outlined=outlined)
        problems += found
        if scene is not None:
            problems += of_reading(scene.truth, scene.mask, "truth")
            problems += () if opened.source is None else of_reading(opened.source, None, "source")
        if _left_out(problems):
            return None, tuple(problems)
        return (None if scene is None else OpenedScene(opened, scene, tuple(problems))), tuple(problems)

    def _outlined(self, opened: OpenedCase) -> Placed | None:
        """The body by the model, where the case brings no mask. Raises `WrongInput`, `Stopped`."""
        model = self._outliner
        if model is None or opened.body is not None:
            return None
        volume = next((each for each in (opened.truth, opened.source) if each is not None and model.takes(each.domain)), None)
        if volume is None:
            raise WrongInput(f"{model.card.name} outlines in {model.card.direction.source.label}, and the case has none.")
        body = finish(model.body(volume, self.stop))
        if body is None:
            raise Stopped("Stopped.")
        return Placed(body, volume.geometry)

    def answer(self, there: OpenedScene, contender: Contender) -> Work[tuple[Answer | None, tuple[Problem, ...]] | None]:
        """What the model makes of it, or why there is nothing to score; None when stopped. Raises `ModelRefused`."""
        try:
            made = self._opened(there, contender) if contender.loaded is None else (yield from self._translated(there, contender))
        except (Stopped, ModelRefused, WriteFailed):
            raise
        except CtmriError as refusal:
            return None, (Problem(kind="unreadable", message=self._said(refusal), left_out=True),)
        if made is None:
            return None
        answer, problems = made
        if answer is not None and not _left_out(problems):
            windowed, by_model = there.opened.windowed, contender.loaded is not None
            problems = (*problems, *of_synthetic(answer.volume, there.scene, windowed=windowed, by_model=by_model))
            if not by_model and not _left_out(problems):
                problems = (*problems, *of_place(answer.volume, there.opened))
        return (None if _left_out(problems) else answer), problems

    def job(self, there: OpenedScene, contender: Contender, answer: Answer, metrics: tuple[str, ...]) -> ScoringJob:
        """Raises `FileRefused` for label maps."""
        scene, source = there.scene, there.scene.source
        own = self.found.predicted_labels[contender.number - 1] if self.found.predicted_labels else None
        cycle = None
        if answer.returned is not None and source is not None:
            cycle = scene.mask if scene.given or self._outliner is not None else body_mask(source)
        return ScoringJob(
            truth=scene.truth.voxels, synthetic=answer.volume.voxels, mask=scene.mask, geometry=scene.grid,
            target=self.direction.target, metrics=metrics, source=None if source is None else source.voxels,
            source_domain=self.direction.source, spread=None if answer.spread is None else answer.spread.values,
            returned=None if answer.returned is None else answer.returned.voxels, source_mask=cycle, labels=scene.labels,
            own_labels=None if own is None else placed_labels(own()).on(scene.grid),
        )  # fmt: skip

    def _opened(self, there: OpenedScene, contender: Contender) -> tuple[Answer | None, tuple[Problem, ...]]:
        load = self.found.predictions[contender.number - 1]
        if load is None:
            return None, (Problem(kind="missing", message="There is no prediction of it.", left_out=True),)
        made = load()
        found = [*of_finished(made, there.opened)]
        volume, problems = placed(made, there.scene)
        found += problems
        if volume is not None:
            found += of_reading(volume, there.scene.mask, "prediction")
        return (None if volume is None else Answer(volume)), tuple(found)

    def _translated(
        self, there: OpenedScene, contender: Contender
    ) -> Work[tuple[Answer | None, tuple[Problem, ...]] | None]:  # fmt: skip
        assert contender.loaded is not None and there.scene.source is not None
        begun = time.monotonic()
        words = f"{self.label}: {contender.name}"
        made = yield from _heard(translate_as(there.scene.source, contender.loaded, self.order.answering, self.stop), words)
        if made is None:
            return None
        seconds, returned = time.monotonic() - begun, None
        if contender.back is not None:
            plain = replace(made.volume, synthetic=None)
            asked = self.order.answering
            way = Order(device=asked.device, threads=asked.threads, precision=asked.precision)
            there_and_back = yield from _heard(translate_as(plain, contender.back, way, self.stop), f"{words}, and back")
            if there_and_back is None:
                return None
            returned = there_and_back.volume
        return Answer(made.volume, made.uncertainty, returned, round(seconds, 2)), ()

    @property
    def label(self) -> str:
        return self.found.name if self.order.names and self.found.name else f"case {self.number}"

    def _said(self, refusal: CtmriError) -> str:
        """Without the name of a file, unless names are wanted."""
        if isinstance(refusal, FileRefused) and not self.order.names:
            return f"{told_of('One of its files', refusal.problem)} {refusal.way_out}".strip()
        return str(refusal)


def _left_out(problems: Iterable[Problem]) -> bool:
    return any(problem.left_out for problem in problems)


def _heard(work: Work[Result], words: str) -> Work[Result]:
    """Signs of life alone: the rest is said once of all cases."""

    def listen(event: Event) -> Event | None:
        return Progress(done=0, message=words) if isinstance(event, Progress) else None

    return relayed(work, listen)
