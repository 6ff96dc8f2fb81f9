"""The models at hand: files of some folders, by name, by what they translate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused
from ctmri_core.hints import nearest_hint
from ctmri_core.model_card.card import ModelCard
from ctmri_core.model_card.header import SUFFIX, read_card
from ctmri_core.model_card.terms import hides_noncommercial
from ctmri_core.resources_folder import shipped_model_folders, user_models_folder

LAST = "-last"
"""How the name of a file ends, before its suffix, that holds the model of a run's last step beside the best one."""

SHOW_HIDDEN = "`ctmri models terms --show`, or the setting in the window, shows them again."


@dataclass(frozen=True)
class ModelEntry:
    """One file of a models folder: its card, or why it cannot be used."""

    path: Path
    card: ModelCard | None
    problem: str = ""


def list_models(folders: Iterable[str | Path]) -> tuple[ModelEntry, ...]:
    """Every `.safetensors` file directly in `folders`, by folder and name; a folder that is not there holds none."""
    entries = []
    for folder in folders:
        for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
            if path.name.startswith(".part-"):
                continue
            try:
                entries.append(ModelEntry(path, read_card(path)))
            except ModelRefused as refusal:
                entries.append(ModelEntry(path, None, str(refusal)))
    return tuple(entries)


def offered_models(folders: Iterable[str | Path]) -> tuple[ModelEntry, ...]:
    """`list_models` without those that may not be used commercially, where somebody hides these."""
    return offered(list_models(folders))


def offered(entries: Iterable[ModelEntry]) -> tuple[ModelEntry, ...]:
    """Those of `entries` that nobody hides."""
    hides = hides_noncommercial()
    return tuple(entry for entry in entries if not (hides and entry.card is not None and entry.card.noncommercial))


@cache
def shipped_hashes() -> frozenset[str]:
    """Of the weights of the models that came with the program; those of any other are unverified."""
    return frozenset(entry.card.weights_sha256 for entry in list_models(shipped_model_folders()) if entry.card)


def list_run_models(runs: str | Path) -> tuple[ModelEntry, ...]:
    """The best models of every run in the folder `runs`, newest run first; of one without a validation the last step's."""
    entries: list[ModelEntry] = []
    for folder in sorted(Path(runs).glob("*/models"), key=_changed, reverse=True):
        made = list_models([folder])
        entries += [entry for entry in made if not entry.path.stem.endswith(LAST)] or made
    return tuple(entries)


def find_model(file_or_name: str | Path, folders: Iterable[str | Path]) -> Path:
    """A file as it is; the model of a folder, such as that of a run, which holds one; else that of a card name or file name.

    Raises `ModelRefused` naming the nearest one, or all where several are meant.
    """
    path = Path(file_or_name)
    if path.is_file() or path.suffix == SUFFIX:
        return path
    if path.is_dir():
        return _sole(path.name, (entry for entry in list_models([path, path / "models"]) if not entry.path.stem.endswith(LAST)))
    folders, wanted = tuple(folders), str(file_or_name).casefold()
    usable = [entry for entry in offered_models(folders) if entry.card is not None]
    meant = [entry for entry in usable if wanted in _names(entry)]
    if meant:
        return _sole(path.name, meant)
    if any(wanted in _names(entry) for entry in list_models(folders)):
        raise ModelRefused(f"{path.name!r} is hidden, as all models are that may not be used commercially. {SHOW_HIDDEN}")
    names = [entry.card.name for entry in usable if entry.card]
    hint = nearest_hint(str(file_or_name), names) or f" Known models: {', '.join(names) or 'none'}."
    raise ModelRefused(f"There is no model called {path.name!r}.{hint}")


def _names(entry: ModelEntry) -> tuple[str, ...]:
    """By which a usable model is called, in lower case."""
    return (entry.card.name.casefold(), entry.path.stem.casefold()) if entry.card is not None else ()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted just now
        return 0.0


def _sole(name: str, entries: Iterable[ModelEntry]) -> Path:
    """The file of the only usable entry; of copies the first."""
    usable = [(entry.card.model_dump_json(), entry.path) for entry in entries if entry.card is not None]
    different = dict(reversed(usable))  # by cards, which hold the hash of the weights: StarGAN's may share these
    if len(different) == 1:
        return next(iter(different.values()))
    if not different:
        raise ModelRefused(f"The folder {name} holds no model that can be used.")
    files = ", ".join(sorted(path.name for path in different.values()))
    raise ModelRefused(f"{name!r} may mean any of several models: {files}. Name the file of the one you want.")


def choose_model(wanted: Domain | Direction, folders: Iterable[str | Path], *, phantom: bool = False) -> Path:
    """The model to use when none was named: takes `wanted` (and gives its target, for a `Direction`), to be given a `phantom` or
    a person's scan.

    An exact source contrast before a merely acceptable one, then by `preference`, then the folders' order.
    Raises `ModelRefused` when there is none.
    """
    source = wanted.source if isinstance(wanted, Direction) else wanted
    fitting = [
        (card.direction.source is not source, preference(card, phantom=phantom), order, entry.path)
        for order, entry in enumerate(offered_models(folders))
        if (card := entry.card) and card.takes(source)
        and (not card.outlines if isinstance(wanted, Domain) else card.direction.target is wanted.target)
    ]  # fmt: skip
    if not fitting:
        raise _none_for(wanted.label if isinstance(wanted, Direction) else f"{source.label} volumes")
    return min(fitting)[-1]


def preference(card: ModelCard, *, phantom: bool) -> tuple[bool, bool, int]:
    """By which a model is chosen for a `phantom` or for a person's scan, lowest first: one of which nothing is known last, then
    one that learnt from the like, then by its `standing`."""
    return card.standing > 1, card.only_phantoms is not phantom, card.standing


def best_back(model: ModelEntry, others: Iterable[ModelEntry]) -> ModelEntry | None:
    """Of `others` the one for the reverse direction that goes best with `model`: learnt beside it, the best with the best and
    the last with the last, then for the exact contrasts, by `preference`, of its method, and by their order."""
    if model.card is None:
        return None
    there, last = model.card.direction, model.path.stem.endswith(LAST)
    ranks = {}
    for number, other in enumerate(others):
        if other.card is None:
            continue
        way, alike = other.card.direction, other.card.method == model.card.method
        if other.card.takes(there.target) and way.target.accepts(there.source):
            beside = alike and other.path.parent == model.path.parent
            unlike = beside and other.path.stem.endswith(LAST) != last
            rank = preference(other.card, phantom=model.card.only_phantoms)
            ranks[not beside, unlike, way != there.reverse, rank, not alike, number] = other
    return ranks[min(ranks)] if ranks else None


def model_back(model: Path, folders: Iterable[str | Path]) -> Path:
    """The file of `best_back` in the folder of `model` and in `folders`. Raises `ModelRefused` where there is none."""
    entry = ModelEntry(model, read_card(model))
    found = best_back(entry, offered_models((model.parent, *folders)))
    if found is None:
        raise _none_for(read_card(model).direction.reverse.label)
    return found.path


def _none_for(what: str) -> ModelRefused:
    return ModelRefused(f"No model for {what} was found. Put a model file ({SUFFIX}) into {user_models_folder()}.")
