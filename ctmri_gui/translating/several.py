"""Several models on one source: what each is asked for, and why they cannot be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctmri_core.volume import Volume
from ctmri_gui.cases.room import free_memory, in_words
from ctmri_gui.translation import Turn, why_not
from ctmri_gui.viewer.roles import SYNTHETICS

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

_BYTES_PER_VOXEL = 4
_SHARE = 0.8  # of what is free: the engine takes what it needs and gives it back
_MORE_THAN_A_PICTURE = ("doubt", "samples", "draws", "back")


def in_turns(models: Sequence[ModelEntry], wanted_of: Callable[[ModelEntry], Mapping[str, Any]]) -> tuple[Turn, ...]:
    """The first has the usual place and whatever is asked for; of the others only the picture is wanted."""
    first, *further = zip(models, SYNTHETICS, strict=False)
    turns = [Turn(first[0], wanted_of(first[0]), first[1])]
    for model, place in further:
        plain = {name: each for name, each in wanted_of(model).items() if name not in _MORE_THAN_A_PICTURE}
        turns.append(Turn(model, plain, place))
    return tuple(turns)


def why_not_together(source: Volume | None, models: Sequence[ModelEntry]) -> str:
    """Why `models` cannot be compared on `source`, in words; empty when they can."""
    if len(models) < 2:
        return "Tick two or more models in the list to compare what they make of the scan."
    if len(models) > len(SYNTHETICS):
        return f"At most {len(SYNTHETICS)} models can be compared at once; {len(models)} are ticked."
    problem = next((words for model in models if (words := why_not(source, model))), "")
    if problem or source is None:
        return problem
    needed, free = _BYTES_PER_VOXEL * source.voxels.size * len(models), int(free_memory() * _SHARE)
    if needed > free:
        lacking = f"{len(models)} images take {in_words(needed)}; {in_words(free)} of memory are free."
        return f"{lacking} Tick fewer models, or close other cases."
    return ""
