"""Which networks a checkpoint holds, each held against the published layout that it claims to be, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused, printable, shown_name
from ctmri_core.exchange.foreign_weights import Place
from ctmri_core.exchange.inert_pickle import StoredTensor
from ctmri_core.exchange.layouts import LAYOUTS, UNUSABLE, Layout, Settings, is_discriminator
from ctmri_core.imported.card import ImportedConfig
from ctmri_core.imported.networks import Imported

_DEEPEST = 6
_ANY = Direction(Domain.CT, Domain.MR)
_WRAPPED = "network."
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_Group = dict[str, tuple[Place, StoredTensor]]


@dataclass(frozen=True)
class NetworkFound:
    """One network of a checkpoint. `part`: where in the file, empty when there is one alone; `settings`: of `ImportedConfig`, as
    far as weights tell; `weights`: by their names here, those that are made here excepted; `changed`: what was done to them."""

    part: str
    layout: Layout
    settings: Settings
    weights: Mapping[str, tuple[Place, StoredTensor]]
    added: tuple[str, ...]
    changed: tuple[str, ...]


def networks_in(path: Path, tree: Any) -> tuple[NetworkFound, ...]:
    """The networks in `tree` (`checkpoint_file.contents`). Raises `ModelRefused` naming the weight that does not fit, or what the
    file holds instead, when there is none that can be used."""
    groups = dict(_groups(tree))
    found, problems = [], []
    for part, group in groups.items():
        for inner_part, inner in _levels(part, group):
            layout = next((layout for layout in LAYOUTS if layout.fits(_shapes(inner))), None)
            if layout is None:
                continue
            try:
                found.append(_fitted(path, inner_part, layout, inner, group))
            except ModelRefused as refusal:
                problems.append(refusal)
    if not found:
        raise problems[0] if problems else _unknown(path, list(groups.values()))
    return tuple(found)


def _groups(tree: Any, place: Place = ()) -> Iterator[tuple[str, _Group]]:
    """Every container of tensors, by its place in words. UNIT's pairs of networks come as the two ways through them."""
    if not isinstance(tree, dict) or len(place) > _DEEPEST:
        return
    own = {str(name): ((*place, name), tensor) for name, tensor in tree.items() if isinstance(tensor, StoredTensor)}
    here = ".".join(map(str, place))
    if own:
        yield here, own
    inner = [pair for name, below in tree.items() if isinstance(below, dict) for pair in _groups(below, (*place, name))]
    coders = {part.rpartition(".")[2]: group for part, group in inner if "enc.model.0.conv.weight" in group}
    if set(coders) == {"a", "b"}:
        for one, other in (("a", "b"), ("b", "a")):
            ends = {"enc.": coders[one], "dec.": coders[other]}
            yield f"{one}_to_{other}", {
                name: each for end, group in ends.items() for name, each in group.items() if name.startswith(end)
            }
    else:
        yield from inner


def _levels(part: str, group: _Group, depth: int = 0) -> Iterator[tuple[str, _Group]]:
    """The group; without a prefix that all names share; and the groups of different first words, down to where one is known."""
    yield part, group
    if depth >= _DEEPEST or any(layout.fits(_shapes(group)) for layout in LAYOUTS):
        return
    below: dict[str, _Group] = {}
    for name, each in group.items():
        first, dot, rest = name.partition(".")
        if dot:
            below.setdefault(first, {})[rest] = each
    alone = len(below) == 1 and sum(map(len, below.values())) == len(group)
    for first, inner in below.items():
        yield from _levels(part if alone else f"{part}.{first}".strip("."), inner, depth + 1)


def _fitted(path: Path, part: str, layout: Layout, group: _Group, whole: _Group) -> NetworkFound:
    try:
        settings = layout.settings(_shapes(group))
        config = ImportedConfig(layout=layout.name, **settings)
    except (ValueError, KeyError, IndexError) as error:
        raise ModelRefused(f"{shown_name(path)}: it looks like {layout.title}, but its sizes make no such network.") from error
    with torch.device("meta"):
        network = Imported.build_generator(config, _ANY).state_dict()
    expected = {name.removeprefix(_WRAPPED): tensor for name, tensor in network.items()}
    kept = _without_statistics(layout, group)
    weights = {layout.here(name, settings): each for name, each in kept.items()}
    added = tuple(name for name in expected if name not in weights and name.endswith("num_batches_tracked"))
    names = dict(zip(weights, kept, strict=True))
    _check(path, layout, expected, weights, names, {*added, *layout.supplied})
    changed = [f"Recognised by the names and shapes of its {len(kept)} weights as {layout.title}."]
    if prefix := _prefix_taken(group, whole):
        changed.append(f"The prefix {prefix!r} was taken off the names of the weights.")
    if dropped := len(group) - len(kept):
        changed.append(f"{dropped} running statistics of instance norm were left out: its network never used them.")
    if added:
        changed.append(f"{len(added)} counters of batch norm were added, which old files lack and no translation needs.")
    return NetworkFound(part, layout, settings, weights, added, tuple(changed))


def _without_statistics(layout: Layout, group: _Group) -> _Group:
    """Without what instance norms counted and never used; batch norms, which use it, have a scale beside it."""

    def used(name: str) -> bool:
        owner, _, last = name.rpartition(".")
        return last not in _STATISTICS or (f"{owner}.weight" in group and not layout.counts_in_vain)

    return {name: each for name, each in group.items() if used(name)}


def _check(
    path: Path, layout: Layout, expected: Mapping[str, Tensor], weights: _Group, names: Mapping[str, str], made: set[str]
) -> None:  # fmt: skip
    """Raises `ModelRefused` naming the first weight that is missing, too much, or of another shape or type."""
    said = f"{shown_name(path)}: it looks like {layout.title}, but"
    missing = [name for name in expected if name not in weights and name not in made]
    extra = [names[name] for name in weights if name not in expected]
    if missing or extra:
        kind, which = ("lacks", missing) if missing else ("holds the unknown", extra)
        raise ModelRefused(f"{said} {kind} weight {printable(which[0])[:100]!r} ({len(which)} in all).")
    for name, (_, stored) in weights.items():
        tensor = expected[name]
        if stored.shape != tuple(tensor.shape):
            there, here = list(stored.shape), list(tensor.shape)
            raise ModelRefused(f"{said} weight {printable(names[name])[:100]!r} has the shape {there} instead of {here}.")
        if tensor.is_floating_point() != (stored.storage.type in ("float16", "bfloat16", "float32", "float64")):
            raise ModelRefused(f"{said} weight {printable(names[name])[:100]!r} has the type {stored.storage.type}.")


def _prefix_taken(group: _Group, whole: _Group) -> str:
    ends = {place: name for name, (place, _) in whole.items()}
    name, (place, _) = next(iter(group.items()))
    original = ends.get(place, name)
    return original.removesuffix(name) if original.endswith(name) else ""


def _shapes(group: _Group) -> dict[str, tuple[int, ...]]:
    return {name: stored.shape for name, (_, stored) in group.items()}


def _unknown(path: Path, groups: list[_Group]) -> ModelRefused:
    name = shown_name(path)
    if not groups:
        return ModelRefused(f"{name}: it holds no weights.")
    for group in groups:
        for pattern, kind in UNUSABLE.items():
            if any(re.fullmatch(pattern, weight) for weight in group):
                return ModelRefused(f"{name}: it holds {kind}.")
        if is_discriminator(_shapes(group)):
            return ModelRefused(f"{name}: it holds a discriminator, which judges pictures and makes none. Add the generator.")
    largest = max(groups, key=len)
    first = ", ".join(repr(printable(weight)[:60]) for weight in list(largest)[:3])
    known = "; ".join(dict.fromkeys(layout.title for layout in LAYOUTS))
    return ModelRefused(
        f"{name}: its weights ({first}, ...) are of no layout that is known here. Known are: {known}. An ONNX model with a"
        " card is taken as well."
    )
