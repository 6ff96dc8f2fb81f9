"""How far a source comes back when what was made of it is translated back: the cycle error of one scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.events import Event, Progress, StopSignal, Work, relayed
from ctmri_core.inference.course import Course
from ctmri_core.inference.engine import make_ready
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import choose_device, choose_plan
from ctmri_core.inference.sampling import Variation
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.mr_standard import unmeasured
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_grid import SliceGrid, Slices
from ctmri_core.registry import validated_config
from ctmri_core.volume import Volume

_BACK = "translating back"

class WayBack:
    """`back` translates what the pass `first` makes. It is shown the values as the first model gave them: not scaled anew, and
    without the steps that are for scans (bias field, body)."""

    def __init__(self, back: LoadedModel, first: OnePass, order: Order) -> None:
        recipe = recipe_of_answers(back.card.recipe, first.card.direction.target)
        self.model = LoadedModel(back.generator, back.card.model_copy(update={"recipe": recipe}))
        self.first = first
        self._order = replace(order, planes=None, beside=(), doubt="none", draws=0, back=None)

    @property
    def count(self) -> int:
        """Slices that are translated."""
        return self.first.record.count

    @property
    def what(self) -> str:
        return f"difference to what {self.model.card.name} translates back"

    @property
    def unit(self) -> str:
        return self.first.source.unit

    def seconds(self) -> float:
        """Estimated for all slices, by timing the model on a slice of the source."""
        generator, card = self.model
        record = self.first.record
        middle = self.first.shown(record.count // 2)
        grid = card.recipe.grid_of(record.geometry)
        picture = grid.forward(record.grid_at(record.count // 2).undo(middle, -1.0), -1.0)
        sample = np.repeat(picture, validated_config(card).context, axis=0)
        plan = choose_plan(generator, sample, choose_device(self._order.device), self._order.precision)
        return plan.seconds_per_slice * self.count

    def differences(self, synthetic: Volume, course: Course, stop: StopSignal) -> Work[NDArray[np.float32] | None]:
        """float32 (k, j, i), in the source's unit; None when stopped. Raises as a pass does."""
        plain = replace(synthetic, synthetic=None)
        plane = self.first.plane if self.model.card.recipe.planes == "three" else "axial"
        preparing = make_ready(plain, self.model, (plane,), self._order, stop)
        ready = yield from relayed(preparing, lambda event: course.at(0, _BACK) if isinstance(event, Progress) else event)
        if ready is None:
            return None
        taker = _Differences(self.first)
        yield from _told(ready[plane].run(Variation(), [taker], stop), course)
        return taker.values


def _told(counts: Iterator[int], course: Course) -> Iterator[Event]:
    for count in counts:
        yield course.at(count, _BACK)
    course.pass_is_whole()


def recipe_of_answers(recipe: Recipe, domain: Domain) -> Recipe:
    """`recipe` for values on the nominal scale of `domain`, which is that of the answers of all models."""
    changes: dict[str, object] = {"bias_field": None, "only_body": False}
    if domain.is_mr:
        changes["mr"] = unmeasured(recipe.mr)
    return recipe.model_copy(update=changes)


class _Differences:
    """Of answers in the unit of the source of `first` to what that pass was shown, through the same grid and back."""

    def __init__(self, first: OnePass) -> None:
        self.values = np.zeros(first.source.geometry.shape, np.float32)
        self._first = first

    def begin(self) -> None:
        """There is one pass."""

    def take(self, grid: SliceGrid, start: int, end: int, values: Slices) -> None:
        first = self._first
        nominal = first.card.recipe.intensity(first.source.domain).nominal
        places = grid.oriented(self.values)
        for n in range(start, end):
            shown = nominal.from_unit(first.shown(n))
            there = first.record.grid_at(n).undo(shown, nominal.low)
            places[n] = np.abs(there[0] - values[n - start])
