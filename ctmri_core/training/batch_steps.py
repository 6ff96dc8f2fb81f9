"""Draws the batch of each step, cuts it into parts, and into smaller ones where the memory does not suffice."""

from __future__ import annotations

import gc
from functools import partial

import torch

from ctmri_core.data.augmentation import Augmentation
from ctmri_core.data.batches_ahead import BatchesAhead
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.errors import OutOfMemory, TrainingFailed
from ctmri_core.events import StopSignal
from ctmri_core.memory import is_out_of_memory
from ctmri_core.training.optimisation import Optimisation, StepReport
from ctmri_core.training.processes import Processes
from ctmri_core.training.settings import TrainingSettings

_ADVICE = "Use a smaller --batch-size or --crop, or a narrower generator."


class BatchSteps:
    """Training steps by number. `parts`: into how many parts a batch is cut at least."""

    def __init__(
        self, slices: PreparedSlices, settings: TrainingSettings, optimisation: Optimisation, processes: Processes
    ) -> None:
        if processes.count > 1 and len(slices) < settings.batch_size:
            raise TrainingFailed(f"{len(slices)} slices do not fill a batch of {settings.batch_size}. Use fewer --devices.")
        self.parts = settings.accumulate
        self._settings = settings
        self._optimisation = optimisation
        self._processes = processes
        self._ahead = BatchesAhead(
            partial(
                slices.training_batch, batch_size=settings.batch_size, augmentation=_augmentation(settings), seed=settings.seed
            )
        )

    def close(self) -> None:
        """Ends the thread that draws the next batch."""
        self._ahead.close()

    def step(self, number: int, stop: StopSignal) -> StepReport:
        """The step after `number` steps. Raises `OutOfMemory` when `halve` may help or nothing does."""
        batch = self._ahead.batch(number)
        own = batch.part(self._processes.share(batch.size)).to(self._processes.fabric.device)
        parts = min(self.parts, own.size)
        cuts = [slice(own.size * n // parts, own.size * (n + 1) // parts) for n in range(parts)]
        try:
            return self._optimisation.step([own.part(cut) for cut in cuts], stop)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            refusal = OutOfMemory(f"The training step does not fit the memory of this device. {_ADVICE}")
        gc.collect()  # outside the handler, whose traceback holds on to the step's tensors
        if self._processes.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
        raise refusal

    def halve(self, error: OutOfMemory) -> str:
        """Cuts batches into twice as many parts from now on, and says so. Raises `error` where nothing is left to cut.

        Not with several processes: the others would wait for the sums of a step that this one gave up.
        """
        own = self._settings.batch_size // self._processes.count
        if self._processes.count > 1 or self.parts >= own:
            raise error
        self.parts = min(2 * self.parts, own)
        size = -(-own // self.parts)
        slices = f"{size} slice{'s' if size > 1 else ''}"
        return f"The step did not fit the memory. Batches are now worked off {slices} at a time, which takes longer."


def _augmentation(settings: TrainingSettings) -> Augmentation:
    return Augmentation(
        settings.crop, settings.flip, settings.turn, settings.zoom, settings.mr_contrast, settings.mr_gain, settings.mr_noise,
        settings.bend,
    )  # fmt: skip
