"""A case of an evaluation once more: its files opened where they are, and answered as it was when it was scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.results import EvaluatedCase, EvaluatedModel, Evaluation
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.volume import Finding, Synthetic, Volume
from ctmri_gui.evaluation.evaluation_work import order_of, quietly
from ctmri_gui.evaluation.wanted import Wanted
from ctmri_gui.jobs import work
from ctmri_gui.translating.made import Made

if TYPE_CHECKING:
    from ctmri_core.evaluation.cases import FoundCase, OpenedCase

GONE = "The data of this evaluation are not where they were ({name} is gone). Put them back, or evaluate anew where they are now."
_OTHER_DATA = "These data no longer hold the case: they were changed or prepared anew since. Evaluate again to look at cases."
_OTHER_ORDER = "Something else was evaluated into this folder since, not in the window. Evaluate again to look at cases."
_OTHER_GRID = "The case has another size than when it was scored: its files were changed since. Evaluate again to look at it."
_OTHER_MODEL = "{name} is no longer the model that was scored: its file was changed since. Evaluate again to look at cases."
_PREPARED = (
    "These are prepared slices: resampled and clipped, in an unknown plane. The letters of sides and the positions mean nothing"
    " here; measure in the scan itself."
)
_DOUBT = ("doubt", "samples")  # asking how sure a model is costs many times the picture, and does not change it
_PICTURES = "finished picture"


@dataclass(frozen=True, eq=False)
class ShownCase:
    """What the viewer shows. `source`: None where only finished pictures are there; `worst`: LPS mm, in the middle of the worst
    slice; `slice`: its number there, from 1."""

    source: Volume | None
    made: Made
    truth: Volume
    worst: NDArray[np.float64] | None
    slice: int | None
    label: str


def open_case(wanted: Wanted, evaluation: Evaluation, case: int, model: int, stop: StopSignal) -> Work[ShownCase | None]:
    """Loads case and model by their numbers. Raises `CtmriError` where files are gone or others than they were."""
    yield Progress(done=0, message="looking for the case")
    for place in wanted.places:
        if not str(place).startswith("phantom:") and not place.exists():
            raise CtmriError(GONE.format(name=_plain(place)))
    from ctmri_core.evaluation.evaluate import find_evaluated

    told, of = evaluation.case(case), evaluation.model(model)
    if len(wanted.predictions if of.pictures else wanted.models) != len(evaluation.models):
        raise CtmriError(_OTHER_ORDER)
    order = order_of(wanted.of_pictures)
    cases = find_evaluated(order, evaluation.data.salt, stop)
    found = next((each for each in cases.cases if each.key == told.key), None)
    if found is None:
        raise CtmriError(_OTHER_DATA)
    yield Progress(done=0, message="opening the case")
    opened = found.load()
    if stop():
        return None
    made = _opened(found, of) if of.pictures else (yield from _translated(wanted, of, opened, cases.steps_done, stop))
    if made is None:
        return None
    grid = (opened.truth if opened.source is None else opened.source).geometry
    if told.voxels and grid.shape != told.shape:
        raise CtmriError(_OTHER_GRID)
    truth, source = (_marked(each, evaluation) for each in (opened.truth, opened.source))
    assert truth is not None
    for volume in (source, truth, made.volume):
        if volume is not None:
            yield from work.look_at(volume, stop)
    k = next((one.worst_slice for one in evaluation.scores_of(model) if one.case == case), None)
    worst = None if k is None else grid.index_to_mm(_middle(told, grid.shape, k))
    return ShownCase(source, made, truth, worst, None if k is None else k + 1, told.label)


def _opened(found: FoundCase, model: EvaluatedModel) -> Made:
    """The finished picture, which is marked as synthetic whether or not its file says so."""
    load = found.predictions[model.number - 1]
    if load is None:
        raise CtmriError(f"{model.name} has no picture of this case.")
    volume = load()
    synthetic = volume.synthetic or Synthetic(_PICTURES, "", {})
    return Made(replace(volume, synthetic=synthetic))


def _translated(
    wanted: Wanted, model: EvaluatedModel, opened: OpenedCase, steps_done: tuple[str, ...], stop: StopSignal
) -> Work[Made | None]:  # fmt: skip
    """As the model answered when it was scored."""
    yield Progress(done=0, message="starting the translation engine")
    from ctmri_core.evaluation.evaluated_models import contenders
    from ctmri_core.inference.translate import translate_as

    assert opened.source is not None
    how = {name: value for name, value in wanted.how.items() if name not in _DOUBT}
    update = {"models": (wanted.models[model.number - 1],), "cycle": False, "how": how}
    order = order_of(wanted.of_pictures.model_copy(update=update))
    loaded = contenders(order, steps_done)[0].loaded
    if loaded is None or loaded.card.weights_sha256 != model.weights_sha256:
        raise CtmriError(_OTHER_MODEL.format(name=model.name))
    made = yield from quietly(translate_as(opened.source, loaded, order.translation, stop))
    if made is None:
        return None
    return Made(made.volume, tuple(one for one in (made.uncertainty,) if one is not None), made.draws)


def _marked(volume: Volume | None, evaluation: Evaluation) -> Volume | None:
    """Prepared slices say on the pane what they are."""
    if volume is None or not evaluation.data.prepared:
        return volume
    return replace(volume, findings=(*volume.findings, Finding("prepared", _PREPARED, serious=True)))


def _middle(case: EvaluatedCase, shape: tuple[int, int, int], k: int) -> NDArray[np.float64]:
    at = (np.asarray(shape, np.float64) - 1) / 2
    at[case.slice_axis] = k
    return at


def _plain(place: Path) -> str:
    """Enough to know it by."""
    return place.name or str(place)


