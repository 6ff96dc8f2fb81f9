"""What a translation method is: its card (no torch), and the protocol that the trainer works with.

A method is one folder of `ctmri_core.methods` (or of another package, through the entry point group `ctmri.methods`):
`card.py` holds the `MethodCard` as `CARD`, `method.py` one class that reads like the paper. Flags, help and forms are made
from the card's config; no other file names a method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import TrainingFailed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Needs = Literal["paired", "masks", "unpaired", "multi_domain"]
JUDGED = "judged_"
"""How the names begin of what a training step tells of its discriminators, `judged_real_<of>` and `judged_synthetic_<of>`."""
_TITLES = (LOSSES := "Losses", NETWORKS := "Networks", COURSE := "How it learns", OPTIMISER := "Optimiser")
_TOLD_BY_NAMES = {
    LOSSES: re.compile(r"lambda_.*|.*_loss|features_file|body_only"),
    COURSE: re.compile(r".*_(steps|epochs)|pool_size|faithful"),
}


class MethodConfig(BaseModel):
    """Settings of a method: frozen, every field documented and bounded. Subclasses add their own and may change defaults.

    `groups`: which fields belong together, by title, for help and forms. A subclass says it of those fields alone whose names
    do not tell.

    The fields here are those of the optimiser that every method of this family uses (Kingma and Ba 2015). The properties say
    what the networks ask of their pictures; methods whose networks ask for something else override them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {OPTIMISER: ("learning_rate", "beta_1", "beta_2", "weight_decay")}

    learning_rate: float = Field(default=2e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    beta_1: float = Field(default=0.5, ge=0, lt=1, description="Adam's decay of the gradient's running mean")
    beta_2: float = Field(default=0.999, ge=0, lt=1, description="Adam's decay of the squared gradient's running mean")
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="Adam's pull of the weights towards zero")

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Completes `groups`: as the class and its bases say, else as names tell, else `NETWORKS`."""
        said = [vars(base).get("groups", {}) for base in reversed(cls.__mro__)]
        titles = {name: title for groups in said for title, names in groups.items() for name in names}
        for name in cls.model_fields:
            told = (title for title, names in _TOLD_BY_NAMES.items() if names.fullmatch(name))
            titles.setdefault(name, next(told, NETWORKS))
        order = dict.fromkeys((*_TITLES, *titles.values()))
        found = {title: tuple(name for name in cls.model_fields if titles[name] == title) for title in order}
        cls.groups = {title: names for title, names in found.items() if names}

    @property
    def decoupled_decay(self) -> bool:
        """Whether the pull is kept out of Adam's running means (Loshchilov and Hutter 2019)."""
        return False

    @property
    def size_multiple(self) -> int:
        """Height and width of the pictures that the networks take must be multiples of this."""
        return 4

    @property
    def context(self) -> int:
        """How many neighbouring slices, an odd number, the generator takes as channels; the middle one is translated."""
        return 1

    @property
    def public_weights(self) -> str:
        """File with weights that others trained, which the networks start with; "" for none. Read when a run begins, by
        `ctmri_core.training.public_start`, which hands it to the generator's `take_public_weights`."""
        return ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Of the labels 1, 2, ... that a method outlines; of one, it outlines all that is drawn."""
        return ("body",)

    @property
    def least_crop(self) -> int:
        """The smallest edge in pixels that can be trained on; translating may do with less."""
        return self.size_multiple

    def for_crop(self, crop: int) -> Self:
        """These settings for training on squares of `crop` pixels. Raises `TrainingFailed` when the networks do not take them."""
        least, multiple = -(-self.least_crop // self.size_multiple) * self.size_multiple, self.size_multiple
        if crop < least or crop % multiple:
            allowed = f"{least} pixels or more" + (f", in multiples of {multiple}" if multiple > 1 else "")
            raise TrainingFailed(f"--crop {crop}: with these settings the networks train on squares of {allowed}.")
        return self

    def told(self) -> dict[str, Any]:
        """What a model file tells of these settings, as JSON takes it: nothing of the machine they were used on."""
        return self.model_dump(mode="json")

    def domains_of(self, direction: Direction) -> tuple[Domain, ...]:
        """Whose slices a batch holds, source and target first. Raises `TrainingFailed` when `direction` is none of theirs."""
        return direction.source, direction.target


def least_for_patches(receptive_field: int) -> int:
    """The least edge in pixels of which a patch discriminator (strided 4 x 4 convolutions, two more of stride 1) says anything.

    Three pixels must be left after the strided layers; with n of them the field is 9 * 2**n - 2.
    """
    return (receptive_field + 2) // 3


class PatchJudgedConfig(MethodConfig):
    """Settings of methods whose discriminators judge overlapping patches (Isola et al. 2017, section 3.2.2)."""

    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of a discriminator's first layer")
    receptive_field: Literal[16, 34, 70, 142] = Field(default=70, description="pixels across that one patch judgement sees")
    patch_grid: Literal[0, 15] = Field(
        default=0, description="15: discriminators with 15 x 15 judgements of a 256 x 256 picture (field 94) instead"
    )

    @property
    def least_judged(self) -> int:
        """The least edge in pixels of which the discriminators say anything."""
        return 32 if self.patch_grid else least_for_patches(self.receptive_field)


@dataclass(frozen=True)
class MethodCard:
    """What can be known of a method without loading torch.

    `name`: as in the folder and on the command line; `citation`: paper and equations; `summary`: one sentence for a person
    who chooses; `needs`: the kind of training data, `masks` of methods that outline; `implementation`: `module:Class` of the
    `Method`; `settings`: what its authors chose of the run itself, where the user says nothing; `both_ways`: whether one run
    learns more directions than the one it is asked for, so that either kind of picture is a target.
    """

    name: str
    title: str
    citation: str
    summary: str
    needs: Needs
    config: type[MethodConfig]
    implementation: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    both_ways: bool = False

    @property
    def outlines(self) -> bool:
        """Whether it learns to outline what pictures show, and makes none."""
        return self.needs == "masks"

    @property
    def paired(self) -> bool:
        """Whether batches show one place in all domains."""
        return self.needs in ("paired", "masks")

    @property
    def example(self) -> Direction:
        """One that it could learn."""
        return Direction(Domain.CT, Domain.MASK if self.outlines else Domain.MR_T1)

    def problem_with(self, direction: Direction) -> str:
        """Why it cannot learn `direction` whatever the data are, in a sentence; empty where it can."""
        if self.outlines is (direction.target is Domain.MASK) and direction.source is not Domain.MASK:
            return ""
        if self.outlines:
            return f"{self.title} learns to outline, not to translate: choose a direction such as {self.example.label}."
        return f"{self.title} learns to translate pictures; masks are learnt by methods that outline."


@dataclass(frozen=True)
class SliceBatch:
    """Slices by domain, as many of each.

    `pictures`: float32 (n, 1, h, w) in [-1, 1], and for `Domain.MASK` numbers of labels, 0 where there is none; `masks`: float32
    (n, 1, h, w), 1 inside the body, 0 outside. Where the card is `paired`, slices of one place in all domains; else of places
    and patients that have nothing to do with each other.
    `context`: the source with its neighbours, (n, c, h, w), the slice itself in the middle, for methods that ask for c > 1.
    `step`, `epoch`: how many steps came before this one, and how many passes over the slices; for what changes as a run goes on.
    """

    pictures: Mapping[Domain, Tensor]
    masks: Mapping[Domain, Tensor]
    context: Tensor | None = None
    step: int = 0
    epoch: int = 0

    def __getitem__(self, domain: Domain) -> Tensor:
        return self.pictures[domain]

    def seen(self, source: Domain) -> Tensor:
        """What the generator is given: the slices of `source`, with their neighbours where there is a context."""
        return self.pictures[source] if self.context is None else self.context

    @property
    def size(self) -> int:
        """How many slices of each domain."""
        return len(next(iter(self.pictures.values())))

    def part(self, cut: slice) -> SliceBatch:
        """Some of the slices, as views."""
        pictures, masks = ({domain: part[cut] for domain, part in parts.items()} for parts in (self.pictures, self.masks))
        return replace(self, pictures=pictures, masks=masks, context=None if self.context is None else self.context[cut])

    def to(self, device: torch.device) -> SliceBatch:
        """The same batch on `device`."""
        pictures, masks = ({domain: part.to(device) for domain, part in parts.items()} for parts in (self.pictures, self.masks))
        context = None if self.context is None else self.context.to(device)
        return replace(self, pictures=pictures, masks=masks, context=context)


class Update(Protocol):
    """`update(group, loss)` lets the optimiser of `group` take one step down `loss`, a scalar tensor with a graph.

    Only the parameters of that group receive gradients. May leave the training step for good by an exception that the
    method must let pass: the trainer then puts everything back as it was before the step.
    """

    def __call__(self, group: str, loss: Tensor) -> None: ...


Batch = TypeVar("Batch", contravariant=True)


class Method(Protocol[Batch]):
    """Losses and networks of one method. It never says `.cuda()`, `.backward()`, `.step()`, `print` or `save`.

    `networks`: by name; the trainer replaces them by wrapped ones, so look a network up whenever it is used.
    `optimised`: optimiser group -> names of the networks it moves; every network belongs to exactly one group.
    `directions`: what it learns to translate, the direction it was made for first.
    All randomness comes from torch's global generator, which the trainer seeds, saves and restores.
    """

    networks: dict[str, nn.Module]
    optimised: Mapping[str, tuple[str, ...]]
    directions: tuple[Direction, ...]

    def __init__(self, config: Any, direction: Direction) -> None:
        """`config`: of the type that the method's card names."""
        ...

    @staticmethod
    def build_generator(config: Any, direction: Direction) -> nn.Module:
        """An uninitialised module (n, 1, h, w) -> (n, 1, h, w) with the weights that a model file holds."""
        ...

    def training_step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        """One optimisation step; detached scalar losses by name, and mean judgements under names that begin with `JUDGED`.

        Called once for each part of a batch that is worked off in parts, and again for a step that was taken back: what counts
        steps goes by `batch.step`.
        """
        ...

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        """(n, 1, h, w) in [-1, 1] of the source domain -> the same of the target domain.

        Of `Domain.MASK`: (n, labels, h, w), from -1 where a label is surely not to 1 where it surely is.
        """
        ...

    def generator(self, direction: Direction) -> nn.Module:
        """The module that is exported in the model file of `direction`; same keys as `build_generator`'s."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """What training needs besides networks and optimisers (an image pool); empty for most methods.

        A snapshot: a method replaces these tensors and never changes them in place.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state_dict` gave."""
        ...
