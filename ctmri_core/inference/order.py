"""What is wanted of a translation, beside the volume and the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError

if TYPE_CHECKING:
    from ctmri_core.model_file import LoadedModel

Planes = Literal["axial", "three"]
Fusion = Literal["mean", "median"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Doubt = Literal["none", "auto", "mirrored", "planes", "dropout", "latent", "ensemble"]

MOST_SAMPLES = 64
SMALLEST_PATCH = 32
_OVERLAP = 32  # pixels; more than any but the deepest layers see to either side


@dataclass(frozen=True, eq=False)
class Order:
    """Raises `CtmriError` when its parts do not go together.

    `device`: `auto`, `cpu`, `cuda`, `cuda:1`; `threads`: of the processor, while it runs; `precision`: `auto` times what this
    machine does best. `batch`: slices at a time; `patch`: edge in pixels of the squares in which slices are translated, blended
    where they overlap by `overlap` pixels; None for each lets the program decide, by the memory that is free.

    `planes`: `three` runs the model along axial, coronal and sagittal slices and fuses what comes by `fusion`; None is as its
    recipe says. `beside`: further models for the same direction, whose answers are fused with the first one's.

    `doubt`: where the map of uncertainty comes from, the standard deviation of several answers for each voxel: `mirrored` and
    shifted slices (test-time augmentation; Wang et al. 2019), the three `planes`, `dropout` left on (Gal and Ghahramani 2016),
    samples of the `latent` (VAE-CycleGAN, UNIT) or the `ensemble` of all models; `auto` takes what tells most of what there is.
    `samples`: how many answers; `draws`: how many of them are kept as volumes. `seed`: of dropout and latents. None of these
    changes the picture.

    `back`: a model for the reverse direction, which gives a map of how far the source comes back. `body`: bool (k, j, i) on the
    volume's grid, outside of which there is background; None leaves that to the recipe, or to `body_model`, a model that outlines
    it. `only`: axial slices from the first to before the second, counted upwards, where no others are wanted: the rest is
    background, but preparing is as for all. A model that fuses planes makes all of them. `keep_unfinished`: a translation that
    was stopped gives what it had.
    """

    device: str = "auto"
    threads: int | None = None
    precision: Precision = "auto"
    batch: int | None = None
    patch: int | None = None
    overlap: int | None = None
    planes: Planes | None = None
    fusion: Fusion = "mean"
    beside: tuple[str | Path | LoadedModel, ...] = ()
    doubt: Doubt = "none"
    samples: int = 8
    draws: int = 0
    seed: int = 0
    back: str | Path | LoadedModel | None = None
    body: NDArray[np.bool_] | None = field(default=None, repr=False)
    body_model: str | Path | LoadedModel | None = None
    only: tuple[int, int] | None = None
    keep_unfinished: bool = False

    def __post_init__(self) -> None:
        if self.patch is not None and self.patch < SMALLEST_PATCH:
            raise CtmriError(f"Patches of {self.patch} pixels are too small; take {SMALLEST_PATCH} or more.")
        if self.overlap is not None and self.overlap < 0:
            raise CtmriError(f"Patches cannot overlap by {self.overlap} pixels; take 0 or more.")
        if self.patch is not None and self.overlap is not None and 2 * self.overlap > self.patch:
            raise CtmriError(f"Patches of {self.patch} pixels cannot overlap by {self.overlap}; take at most half of a patch.")
        if not 2 <= self.samples <= MOST_SAMPLES:
            raise CtmriError(f"Uncertainty needs 2 to {MOST_SAMPLES} samples, not {self.samples}.")
        if not 0 <= self.draws <= self.samples:
            raise CtmriError(f"{self.draws} draws cannot be kept of {self.samples} samples.")
        if not 0 <= self.seed < 2**31:
            raise CtmriError(f"The seed must be a whole number from 0 to {2**31 - 1}, not {self.seed}.")
        if self.doubt == "ensemble" and not self.beside:
            raise CtmriError("An ensemble needs two models or more.")
        if self.draws and self.doubt in ("none", "planes", "ensemble"):
            raise CtmriError("Several draws come of dropout, a latent or mirrored slices: say where the uncertainty comes from.")

    @property
    def told(self) -> dict[str, Any]:
        """For the record of a result: what was asked for and is not the default."""
        plain = ("precision", "batch", "patch", "overlap", "planes", "fusion", "doubt", "samples", "draws", "seed")
        default = type(self)()
        told = {name: getattr(self, name) for name in plain if getattr(self, name) != getattr(default, name)}
        return told if self.body_model is None else {**told, "body_model": self._body_model_name}

    @property
    def _body_model_name(self) -> str:
        known = self.body_model
        return Path(known).name if isinstance(known, str | Path) else known.card.name if known is not None else ""


def overlap_of(patch: int, wanted: int | None) -> int:
    """By how many pixels patches of this edge overlap: as `wanted`, as far as they can, or a quarter and at most 32."""
    return min(_OVERLAP, patch // 4) if wanted is None else min(wanted, patch // 2)
