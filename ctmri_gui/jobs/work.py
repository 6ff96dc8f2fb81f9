"""The work that the window starts, but for translating (`translate_work`). It reaches the heavy half of the core only when run.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ctmri_core.errors import CtmriError, Stopped
from ctmri_core.events import Noted, Progress, StopSignal, Work

if TYPE_CHECKING:

    from ctmri_core.comparison import Comparison, Ground
    from ctmri_core.domain import Domain
    from ctmri_core.exchange.found_model import FoundModel
    from ctmri_core.io.header_view import Header
    from ctmri_core.io.series import Series
    from ctmri_core.model_card import ModelEntry
    from ctmri_core.training.runs import RunSummary
    from ctmri_core.volume import Volume
    from ctmri_gui.viewer.roles import Pair, Role

_WARM_MODULES = (
    "ctmri_core.io.opening",
    "ctmri_core.preprocess.resample",
    "ctmri_core.comparison",
    "ctmri_core.phantom",
    "scipy.ndimage",  # the outline of the body, for the first picture
    "skimage.filters",
)
_importing = Lock()
"""Held by work that may begin while `warm_up` imports: two threads in one package of circular imports find it half made."""
_REASONS = 2  # told without being asked, where several files cannot be opened


def warm_up(stop: StopSignal) -> Work[None]:
    """Imports what the first opened file will need and starts the reader process, so that it need not wait for them."""
    for module in _WARM_MODULES:
        if stop():
            return
        with _importing:
            importlib.import_module(module)
        yield Progress(done=0, message="getting ready")
    from ctmri_core.io.private_folders import remove_forsaken
    from ctmri_core.io.reader_process import shared_reader

    remove_forsaken()
    shared_reader().start()


def find_series(paths: Sequence[Path], stop: StopSignal) -> Work[tuple[Series, ...] | None]:
    """What `paths` hold, localizers last. One bad path among good ones is a note; nothing usable at all is a failure."""
    with _importing:
        from ctmri_core.io.opening import belonging_together, scan_together

    found: list[Series] = []
    failures: list[CtmriError] = []
    for number, together in enumerate(belonging_together(paths)):
        yield Progress(done=number, message="looking for scans")
        if stop():
            return None
        try:
            found += scan_together(together, stop)
        except Stopped:
            return None
        except CtmriError as error:
            failures.append(error)
    if failures and not found:
        raise failures[0] if len(failures) == 1 else CtmriError(_in_one(failures, len(paths)))
    if failures:
        yield Noted(message=_in_one(failures, len(paths)), serious=True)
    return tuple(sorted(found, key=lambda series: series.localizer))


def _in_one(failures: Sequence[CtmriError], count: int) -> str:
    """How many and the first reasons in one line; the others on lines of their own, for whoever asks."""
    told = [str(failure) for failure in failures]
    if count == 1:
        return told[0]
    head = f"None of {count} could be opened:" if len(told) == count else f"{len(told)} of {count} could not be opened:"
    more = [f"And {len(told) - _REASONS} more: point here for all."] if len(told) > _REASONS else []
    return "\n".join((" ".join((head, *told[:_REASONS], *more)), *told[_REASONS:]))


def load_series(
    chosen: Iterable[Series], stop: StopSignal, show: Callable[[int, Volume], None] | None = None
) -> Work[tuple[Volume, ...] | None]:
    """The volumes of `chosen`, in that order. `show` is called on the job's thread with the number of a large series among them
    and one slice of it, before the series itself is read."""
    from ctmri_core.io.opening import load

    volumes = []
    for number, series in enumerate(chosen):
        volume = yield from load(series, stop, None if show is None else partial(_show_first, show, number))
        if stop() or volume is None:
            return None
        make_known(volume)
        volumes.append(volume)
    return tuple(volumes)


def _show_first(show: Callable[[int, Volume], None], number: int, first: Volume) -> None:
    make_known(first)
    show(number, first)


def load_again(series: Series, domain: Domain, stop: StopSignal) -> Work[Volume | None]:
    """The volume of a series that is open already and was changed since, with the kind that it was given meanwhile."""
    from ctmri_core.io.opening import load

    volume = yield from load(series, stop)
    if volume is None:
        return None
    if volume.domain is not domain:
        volume = with_domain(volume, domain)
    make_known(volume)
    return volume


def with_domain(volume: Volume, domain: Domain) -> Volume:
    """`volume` with its kind corrected, which answers what was asked about it."""
    from ctmri_core.io.second_opinion import answered

    return volume.with_history(f"domain set to {domain.label} by hand", domain=domain, findings=answered(volume.findings))


def read_header(volume: Volume, number: int, _stop: StopSignal) -> Work[tuple[Header, frozenset[int]]]:
    """The header of slice `number` of `volume`, from 0, and which of its entries differ from the next slice's."""
    from ctmri_core.io.header_entry import differing
    from ctmri_core.io.header_view import volume_header

    yield Progress(done=0, message="reading the header")
    header = volume_header(volume, min(number, max(len(volume.files), 1) - 1))
    if header.count == 1:
        return header, frozenset()
    beside = header.number + 1 if header.number + 1 < header.count else header.number - 1
    return header, differing(header.entries, volume_header(volume, beside).entries)


def make_known(volume: Volume) -> None:
    """Finds the body, its grey range and its kind here, so that showing the volume costs the interface thread nothing."""
    from ctmri_core.preprocess.mr_range import body_range
    from ctmri_core.recognition import recognise

    body_range(volume)
    if volume.synthetic is None:
        recognise(volume)


def look_at(volume: Volume, _stop: StopSignal) -> Work[Volume]:
    """Gives `volume` back once it is known well enough to be shown at once."""
    yield Progress(done=0, message="looking at the scan")
    make_known(volume)
    return volume


def make_demo_case(stop: StopSignal) -> Work[tuple[Volume, Volume] | None]:
    """(CT, T1 MR) of a digital head; nobody's scan."""
    with _importing:
        from ctmri_core.demo import DIRECTION, SEED
        from ctmri_core.phantom import make_head

    yield Progress(done=0, message="making a digital head")
    head = make_head(SEED)
    pair = (head[DIRECTION.source], head[DIRECTION.target])
    for volume in pair:
        make_known(volume)
    return None if stop() else pair


def list_models(folders: Sequence[Path], runs: Sequence[Path], _stop: StopSignal) -> Work[tuple[ModelEntry, ...]]:
    """The model files of `folders` and the best ones of the runs in the folders `runs`, broken ones with their problem; without
    those for non-commercial use where these are hidden."""
    from ctmri_core.model_card import list_models as listed
    from ctmri_core.model_card import list_run_models, offered

    yield Progress(done=0, message="looking for models")
    return offered((*listed(folders), *(entry for each in runs for entry in list_run_models(each))))


def find_interrupted(runs: Sequence[Path], _stop: StopSignal) -> Work[tuple[RunSummary, ...]]:
    """The training runs in the folders `runs` that ended without a word and can go on, folder by folder, newest first."""
    there = [each for each in runs if each.is_dir()]
    if not there:
        return ()
    yield Progress(done=0, message="looking for interrupted runs")
    with _importing:
        from ctmri_core.training.runs import interrupted_runs, summary_of

    found = (summary_of(path) for each in there for path in interrupted_runs(each))
    return tuple(run for run in found if run.can_go_on)


def add_model(path: Path, folder: Path, _stop: StopSignal) -> Work[Path]:
    """Checks the card of a model file and copies the file into `folder`; the files of all runs of a method have one name, so
    where that is taken a part of the weights' hash comes behind it. Raises `ModelRefused`, `WriteFailed`.
    """
    import filecmp
    import shutil

    from ctmri_core.files import atomic_file
    from ctmri_core.model_card import read_card

    yield Progress(done=0, message=f"checking {path.name}")
    card = read_card(path)
    target = folder / path.name
    if target.exists() and not filecmp.cmp(target, path, shallow=False):
        target = folder / f"{path.stem}-{card.short_hash}{path.suffix}"
    if not target.exists():
        with atomic_file(target) as temporary:
            shutil.copyfile(path, temporary)
    return target


def look_at_model(path: Path, _stop: StopSignal) -> Work[tuple[FoundModel, dict[str, Any]]]:
    """What another program's model file holds, and what it, or a card beside it, says of it. Raises `ModelRefused`."""
    yield Progress(done=0, message=f"looking into {path.name}")
    with _importing:
        from ctmri_core.exchange.found_model import look
        from ctmri_core.exchange.import_card import card_beside, read_card_file

    found = look(path)
    beside = card_beside(path)
    return found, {**found.said, **(read_card_file(beside) if beside is not None else {})}


def import_model(path: Path, table: dict[str, Any], folder: Path, stop: StopSignal) -> Work[Path | None]:
    """The model file in `folder` made of another program's at `path`. Raises `ModelRefused`, `WriteFailed`, `OutOfMemory`."""
    with _importing:
        from ctmri_core.exchange.importing import import_model as imported

    return (yield from imported(path, table, folder, stop=stop))


def look_where(source: Volume, truth: Volume, stop: StopSignal) -> Work[Ground | None]:
    """How the truth lies on the source."""
    with _importing:
        from ctmri_core.comparison import Ground

    yield Progress(done=0, message="looking whether both show the same place")
    ground = Ground(source, truth)
    ground.look()
    return None if stop() else ground


def compare(
    source: Volume, volumes: Mapping[Role, Volume], pairs: Sequence[Pair], known: Mapping[Pair, Comparison],
    ground: Ground | None, stop: StopSignal,
) -> Work[Mapping[Pair, Comparison] | None]:  # fmt: skip
    """How far the `pairs` among `volumes` may be compared: an image that a model made with the truth, or with another one's.
    `known`: what was found out before, which is given back too; `ground`: how the truth lies, where that is known."""
    from ctmri_core.comparison import Comparison, ModelComparison

    found = dict(known)
    for number, (one, other) in enumerate(pairs):
        yield Progress(done=number, message="looking whether both show the same place")
        beside = next((comparison for pair, comparison in found.items() if pair[1] is other), None)
        kind = ModelComparison if other.is_synthetic else Comparison
        found[one, other] = kind(source, volumes[one], volumes[other], beside=beside, ground=ground)
        if stop():
            return None
    return found


def engine_loaded() -> bool:
    """Whether torch is there already; it comes with the first translation."""
    return "torch" in sys.modules


def device_facts(_stop: StopSignal) -> Work[str]:
    """The device that translation would use, in words."""
    yield Progress(done=0, message="asking for the graphics card")
    import torch

    if not torch.cuda.is_available():
        return f"processor only ({torch.get_num_threads()} threads)"
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB"
