"""The work of translating: what speaks against it, how long it will take, the translation, and the outline of a body by a model.

As in `work`, every function is a generator of events whose value is None when it was stopped, and imports what is heavy when run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ctmri_core.errors import CtmriError
from ctmri_core.events import Noted, Progress, Started, StopSignal, Work
from ctmri_gui.jobs.work import make_known
from ctmri_gui.translating.made import Made

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ctmri_core.model_file import LoadedModel
    from ctmri_core.volume import Finding, Volume

Result = TypeVar("Result")


def translate_unless_doubtful(
    volume: Volume, model: Path, wanted: Mapping[str, Any], body: NDArray[np.bool_] | None, stop: StopSignal,
    *, keep: Callable[[Made], None] | None = None,
) -> Work[Made | tuple[Finding, ...] | None]:  # fmt: skip
    """As `translate`; or what speaks against giving `volume` to this model, where something does, and terms of it that nobody
    has seen yet."""
    from ctmri_gui.models.terms import unsaid

    yield Progress(done=0, message="looking whether the model fits the scan")
    serious = (*unsaid((model, wanted.get("back"))), *_serious_doubts(volume, model, body))
    if serious or stop():
        return serious or None
    return (yield from translate(volume, model, wanted, body, stop, keep=keep))


def translate(
    volume: Volume, model: Path, wanted: Mapping[str, Any], body: NDArray[np.bool_] | None, stop: StopSignal,
    *, keep: Callable[[Made], None] | None = None,
) -> Work[Made | None]:  # fmt: skip
    """The synthetic twin of `volume` on the same grid; of `body` alone where it is given, with background around it. `wanted`: of
    an `Order`, by its names. `keep` is given what there is of one that was stopped, on the job's thread."""
    yield Progress(done=0, message="starting the translation engine")
    from ctmri_core.inference.order import Order
    from ctmri_core.inference.translate import translate_as

    loaded, possible = yield from _as_possible(model, wanted)
    order = Order(**possible, threads=_threads(), body=body, keep_unfinished=keep is not None)
    done = yield from _quietly(translate_as(volume, loaded, order, stop))
    if done is None:
        return None
    maps = tuple(one for one in (done.uncertainty, done.cycle) if one is not None)
    made = Made(done.volume, maps, done.draws, done.finished)
    if done.finished or keep is None:
        make_known(done.volume)
        return made
    keep(made)
    return None


def outline(volume: Volume, model: Path, stop: StopSignal) -> Work[NDArray[np.bool_] | None]:
    """The body as `model` outlines it, bool on the grid of `volume`; None when stopped. Raises `CtmriError`."""
    yield Progress(done=0, message="starting the engine")
    from ctmri_core.inference.order import Order
    from ctmri_core.inference.outlining import body_by_model
    from ctmri_core.model_card.terms import terms_notes
    from ctmri_core.model_file import load_model

    loaded = load_model(model)
    yield from terms_notes([loaded.card])
    return (yield from _quietly(body_by_model(volume, loaded, Order(), stop)))


def estimate(
    volume: Volume, model: Path, wanted: Mapping[str, Any], body: NDArray[np.bool_] | None, stop: StopSignal
) -> Work[Mapping[str, Any] | str | None]:  # fmt: skip
    """What a translation would say as it starts: device, precision, passes, seconds and memory, timed on this machine; or why
    there would be none."""
    yield Progress(done=0, message="timing this machine")
    from ctmri_core.inference.order import Order
    from ctmri_core.inference.translate import translate_as

    try:
        loaded, possible = yield from _as_possible(model, wanted)
        running = translate_as(volume, loaded, Order(**possible, threads=_threads(), body=body), stop)
        try:
            for event in running:
                if isinstance(event, Started):
                    return {**event.details, "slices": event.total}
                yield Progress(done=0, message="timing this machine")
        finally:
            running.close()
    except CtmriError as error:
        return str(error)
    return None


def _as_possible(model: Path, wanted: Mapping[str, Any]) -> Work[tuple[LoadedModel, dict[str, Any]]]:
    """The model, and what can be wanted of it: what was chosen for another one it may not have."""
    from ctmri_core.inference.sampling import ways_of
    from ctmri_core.model_file import load_model

    yield Progress(done=0, message="loading the model")
    loaded = load_model(model)
    possible = dict(wanted)
    if possible.get("doubt") in ("dropout", "latent") and possible["doubt"] not in ways_of(loaded.generator):
        possible["doubt"] = "auto"
    return loaded, possible


def ways_of_model(model: Path, stop: StopSignal) -> Work[tuple[str, ...] | None]:
    """How a model can be asked for other answers, what tells most first."""
    yield Progress(done=0, message="looking into the model")
    from ctmri_core.inference.sampling import ways_of
    from ctmri_core.model_file import load_model

    ways = ways_of(load_model(model).generator)
    return None if stop() else ways


def graphics_cards(_stop: StopSignal) -> Work[tuple[str, ...]]:
    """The names of those that translation could use."""
    yield Progress(done=0, message="asking for graphics cards")
    from ctmri_core.training.graphics_cards import graphics_cards as listed

    return listed().names


def _serious_doubts(volume: Volume, model: Path, body: NDArray[np.bool_] | None) -> tuple[Finding, ...]:
    from ctmri_core.inference.input_doubts import doubts_before
    from ctmri_core.model_card import read_card

    return tuple(doubt for doubt in doubts_before(volume, read_card(model), body=body) if doubt.serious)


def _quietly(work: Work[Result]) -> Work[Result]:
    """What there is to know of a source stands on the panes as long as they show it, not in a bar that would outlive it."""
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield event.model_copy(update={"serious": False}) if isinstance(event, Noted) else event


def _threads() -> int | None:
    """One processor is left to the window where there are more than two; with two that would cost half the speed."""
    cores = os.cpu_count() or 1
    return cores - 1 if cores > 2 else None
