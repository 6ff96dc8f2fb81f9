"""From the name of a method and a place with cases to a trained model: what the command line and the window call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Literal

from ctmri_core.config_flags import validated
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.preparation import PreparedData, prepare_slices, prepared_folder
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, FileRefused, Stopped, TrainingFailed, WriteFailed, shown_name
from ctmri_core.events import Finished, StopSignal, Work, finish, never, now
from ctmri_core.folder_lock import alone_in
from ctmri_core.method import MethodConfig
from ctmri_core.model_card import read_card
from ctmri_core.model_card.terms import terms_notes
from ctmri_core.preprocess.intensity import HuCurve, HuRange
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import find_card
from ctmri_core.training.fine_tuning import check_start
from ctmri_core.training.kept_awake import kept_awake
from ctmri_core.training.orders import Orders
from ctmri_core.training.precision import choose_precision
from ctmri_core.training.processes import Processes, choose_device, join_processes
from ctmri_core.training.public_start import check_public_weights
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import LENGTHS, ModelDescription, TrainingSettings, as_prepared
from ctmri_core.training.trainer import RunResult, Trainer

_CURVED_TARGET = (
    "{title} learns CT as a target too, but these data were prepared for CT as the source alone (soft tissue curve). "
    "Prepare them without it."
)


def train(
    method_name: str, config: MethodConfig | None, data_spec: str, direction: Direction, run_folder: str | Path,
    settings: TrainingSettings, *, stop: StopSignal = never, orders: Orders | None = None, about: ModelDescription | None = None,
    resume: bool = False, may_launch: bool = False, moved: bool = False,
) -> Work[RunResult]:  # fmt: skip
    """Prepares the cases of `data_spec` (see `find_cases`) in the run folder, trains, and exports model files there.

    `config`: of the method's own type; None takes its defaults. Yields `Progress` while preparing, then the trainer's
    events; `Finished` is the last one, once, and tells of every failure the user can act on. `orders`: what is asked of the run
    while it goes on. `may_launch`: this program may be started again, with the words it was started with, for every further
    device; those processes yield no events. `moved`: the run to resume began with these prepared data elsewhere.
    """
    folder, orders = RunFolder(run_folder), orders or Orders()
    stop = orders.or_stop(stop)
    processes, ours, held = None, False, ExitStack()
    reason: Literal["stopped", "failed"] = "stopped"
    message = "Stopped while preparing the cases; those that are prepared are kept, and the same start goes on with them."
    try:
        held.enter_context(kept_awake())
        card = find_card(method_name)
        if not resume:
            folder.check_free()
        ours = not resume
        config = (config or card.config()).for_crop(settings.crop)  # refused before anything is prepared
        if settings.start_from and not resume:
            check_start(settings.start_from, card, config, direction)
            yield from terms_notes([read_card(settings.start_from)])
        if not resume:
            check_public_weights(config)
        if settings.processes > 1:
            processes = _joined(settings, may_launch=may_launch)
        first = processes is None or processes.first
        if resume and first:
            held.enter_context(alone_in(folder.path))
            ours = True
        if prepared := prepared_folder(data_spec):
            decided = prepared.read().decided
            settings = settings.model_copy(update=decided) if resume else as_prepared(settings, decided)
        curved = settings.soft_tissue_curve and direction.source is Domain.CT and not card.both_ways
        ct = HuCurve() if curved else HuRange()
        if not prepared:
            settings = settings.model_copy(update={"soft_tissue_curve": curved})  # what is kept of the run tells what was done
        recipe = Recipe(spacing_mm=settings.spacing_mm, multiple=config.size_multiple, ct=ct)
        preparing = prepare_slices(
            data_spec, direction, recipe, folder.prepared, settings.validation_share, settings.seed, stop,
            paired=card.paired, context=config.context, domains=config.domains_of(direction),
            resume=resume or (processes is not None and not processes.first),
        )  # fmt: skip
        data = yield from _by_the_first(preparing, processes)
        if data is not None:
            if card.both_ways and isinstance(data.recipe.ct, HuCurve):
                raise TrainingFailed(_CURVED_TARGET.format(title=card.title))
            if not resume and first:  # a folder for what is refused before this is not made
                ours = False
                held.enter_context(alone_in(folder.path))
            trainer = Trainer(
                card, config, data, folder.path, settings, about=about, resume=resume, processes=processes, orders=orders,
                moved=moved,
            )  # fmt: skip
            return (yield from trainer.run(stop))
    except Stopped:
        pass
    except CtmriError as error:
        reason, message = "failed", str(error)
    finally:
        held.close()
        if processes is not None:
            processes.part()
    finished = Finished(reason=reason, message=message, paths={"run": str(folder.path)}, at=now())
    if processes is None or processes.first:
        with suppress(WriteFailed):
            if ours and folder.path.is_dir():  # what is refused at once leaves nothing behind
                folder.log(finished)
        yield finished
    return RunResult(reason, message, 0, folder.path)


def _joined(settings: TrainingSettings, *, may_launch: bool) -> Processes:
    if not may_launch:
        raise TrainingFailed("Training on several devices starts several processes. Begin it with ctmri train.")
    device = choose_device(settings)
    return join_processes(settings, device, choose_precision(settings.precision, device))


def _by_the_first(work: Work[PreparedData | None], processes: Processes | None) -> Work[PreparedData | None]:
    """`work` done by the first process alone; the others wait, and then find everything done."""
    if processes is None:
        return (yield from work)
    if not processes.first:
        return finish(work) if processes.agreed([0.0])[0] else None
    data = None
    try:
        data = yield from work
    finally:
        processes.agreed([float(data is not None)])
    return data


def resume_training(
    run_folder: str | Path, *, method_name: str | None = None, length: Mapping[str, Any] | None = None, stop: StopSignal = never,
    orders: Orders | None = None, may_launch: bool = False, data: str = "",
) -> Work[RunResult]:  # fmt: skip
    """Goes on with the run in `run_folder` as it was started; from the beginning when it ended before its first checkpoint.

    `method_name`: which method it is expected to be of. `length`: another one than it was started with, as
    `{"epochs": 300}`; schedules of the learning rate stretch to it. `data`: where the prepared slices that it began with are now,
    if they were moved; others are refused. Same events as `train`. Raises `FileRefused` when the folder holds no run,
    `TrainingFailed` when it is one of another method, or `data` are no prepared slices.
    """
    folder = RunFolder(run_folder)
    stored = folder.read_config()
    if method_name not in (None, stored.get("method")):
        raise TrainingFailed(f"{folder.path.name} holds a run of {stored.get('method')}, not of {method_name}. Name that method.")
    try:
        config = validated(find_card(str(stored["method"])).config, stored["config"])
        changes = {**dict.fromkeys(LENGTHS), **length} if length else {}
        settings = validated(TrainingSettings, {**stored["settings"], **changes})
        about = validated(ModelDescription, stored["about"])
        method, began_with, direction = str(stored["method"]), str(stored["data"]), Direction.parse(stored["direction"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileRefused(folder.config, f"it is not complete ({error}).", "Start a new run.") from None
    resume = folder.checkpoint.exists()
    if data:
        _check_moved(folder, data)
    return (
        yield from train(
            method, config, data or began_with, direction, folder.path, settings, stop=stop, orders=orders, about=about,
            resume=resume, may_launch=may_launch, moved=bool(data),
        )
    )  # fmt: skip


def _check_moved(folder: RunFolder, data: str) -> None:
    """Raises `TrainingFailed` where `data` cannot be what the run in `folder` began with."""
    name = shown_name(folder.path)
    if not folder.checkpoint.exists():
        raise TrainingFailed(f"{name} ended before its first checkpoint, so nothing tells its data. Start a new run.")
    if DatasetFolder(folder.prepared).exists():
        raise TrainingFailed(f"{name} keeps its slices itself and needs no data from elsewhere. Leave out --data.")
    if prepared_folder(data) is None:
        raise TrainingFailed("--data names no prepared slices. Name the folder to which those of the run were moved.")
