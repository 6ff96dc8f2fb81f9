"""One model along one plane of a volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.errors import ModelRefused, Stopped
from ctmri_core.events import StopSignal
from ctmri_core.inference.fusion import Taker
from ctmri_core.inference.sampling import Variation
from ctmri_core.inference.slice_runner import SliceRunner
from ctmri_core.model_card import ModelCard
from ctmri_core.preprocess.recipe import Record
from ctmri_core.preprocess.slice_context import neighbours, stride_for
from ctmri_core.preprocess.slice_grid import Plane, SliceGrid, Slices
from ctmri_core.registry import validated_config
from ctmri_core.volume import Volume


class OnePass:
    """`record` is of slices along `plane`; `runner` holds the network on its device; `only`: as of an `Order`."""

    def __init__(
        self, source: Volume, card: ModelCard, record: Record, runner: SliceRunner, plane: Plane = "axial",
        only: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self.source, self.card, self.record, self.runner, self.plane = source, card, record, runner, plane
        self.context = validated_config(card).context
        first, end = only or (0, record.count)
        self.first, self.end = max(0, first), min(end, record.count)

    def run(self, variation: Variation, takers: list[Taker], stop: StopSignal) -> Iterator[int]:
        """How many slices are done, each time some are; `takers` have got them then. Raises `Stopped`, `ModelRefused` and
        `OutOfMemory`."""
        done, count = self.first, self.end
        for taker in takers:
            taker.begin()
        with variation.applied(self.runner.network):
            while done < count:
                if stop():
                    raise Stopped("Translation was stopped.")
                end = self.record.alike(done, min(done + self.runner.batch, count))
                values = self._values(done, end, variation, stop)
                for taker in takers:
                    taker.take(self.record.grid, done, end, values)
                done = end
                yield done

    def shown(self, number: int) -> Slices:
        """Slice `number` alone as the network sees it, without its neighbours: float32 (1, h, w)."""
        return self.card.recipe.forward_slices(self.source, self.record, number, number + 1, self.record.grid_at(number))

    def _values(self, start: int, end: int, variation: Variation, stop: StopSignal) -> Slices:
        """(end - start, rows, columns) on the source's own pixels, in the target's unit."""
        recipe, grid, target = self.card.recipe, self.record.grid_at(start), self.card.direction.target
        slices = seen(self.source, self.card, self.record, self.context, start, end)
        answer = variation.undone(self.runner.answers(variation.shown(slices), stop))
        if not np.isfinite(answer).all():
            raise ModelRefused(f"{self.card.name} answered with values that are no numbers. Use another model.")
        answer = np.clip(answer, -1.0, 1.0)  # a network without a last tanh may leave the range, which is all that has a meaning
        return grid.undo(recipe.to_nominal(answer, target), recipe.intensity(target).nominal.low)


def seen(
    source: Volume, card: ModelCard, record: Record, context: int, start: int, end: int, grid: SliceGrid | None = None
) -> Slices:  # fmt: skip
    """What the network is shown for slices `start` to `end`, float32 (end - start, context, h, w); `grid`: None for their own."""
    stride = stride_for(card.recipe.slice_mm, record.grid.slice_mm)
    places = neighbours(start, end, context, record.count, stride)
    first = int(places.min())
    return card.recipe.forward_slices(source, record, first, int(places.max()) + 1, grid or record.grid_at(start))[places - first]
