"""What is wanted of a batch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ctmri_core.domain import Domain
from ctmri_core.geometry import Triple
from ctmri_core.inference.order import Order

if TYPE_CHECKING:
    from ctmri_core.model_file import LoadedModel

__all__ = ["FORMS", "BatchOrder", "Form", "Order"]

Form = Literal["nii.gz", "nii", "mha", "nrrd", "dicom", "png"]
FORMS: tuple[Form, ...] = get_args(Form)
_FOLDERS = ("dicom", "png")
_OF_NO_MATTER = ("batch",)  # how many slices at a time: the result is the same


@dataclass(frozen=True)
class BatchOrder:
    """`inputs`: folders and files with scans; `output`: the folder of the results and their table.

    `model`: the one for all, None chooses for each scan among those in `folders`. `told`: what scans show that cannot say so
    themselves. `form`: of each result, a file or a folder of slices. `deidentify`, `burn_in`: as in `ctmri_core.io.saving.save`.
    `all_the_same`: translates what a model was not made for, too, instead of putting it aside. `only`: names of cases, empty for
    all. `spacing` (mm along k, j, i), `straighten`: as in `ctmri_core.io.series`. `order`: how each is translated.
    """

    inputs: tuple[Path, ...]
    output: Path
    model: Path | None = None
    folders: tuple[Path, ...] = ()
    told: Domain | None = None
    form: Form = "nii.gz"
    deidentify: bool = False
    burn_in: bool = False
    all_the_same: bool = False
    only: frozenset[str] = frozenset()
    spacing: Triple | None = None
    straighten: bool = False
    order: Order = field(default_factory=Order)

    @property
    def in_folders(self) -> bool:
        """Whether each result is a folder of slices."""
        return self.form in _FOLDERS

    @cached_property
    def settings_hash(self) -> str:
        """16 hexadecimal digits that change with what changes a result, beside scan, model and what the scan was told to show.

        Raises `ModelRefused` for a further model that cannot be read.
        """
        how = {name: value for name, value in self.order.told.items() if name not in _OF_NO_MATTER}
        helping = (*self.order.beside, self.order.back, self.order.body_model)
        others = [_weights_of(model) for model in helping if model is not None]
        told = [self.form, self.deidentify, self.burn_in, self.spacing, self.straighten, how, others]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:16]


def _weights_of(model: str | Path | LoadedModel) -> str:
    """Of a model that helps with every scan: another one may be put where it lay."""
    from ctmri_core.model_card import read_card

    card = read_card(Path(model)) if isinstance(model, str | Path) else model.card
    return card.weights_sha256
