"""The work on training data that the window starts: look, check and prepare, leave out, delete. Heavy modules load when it runs.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, TrainingFailed
from ctmri_core.events import Finished, Noted, Progress, StopSignal, Work
from ctmri_core.files import write_failed
from ctmri_core.resources_folder import user_datasets_folder
from ctmri_gui.training.new_run.case_rows import without_flags
from ctmri_gui.training.new_run.data_choices import DataChoices
from ctmri_gui.training.new_run.draft import KnownData

if TYPE_CHECKING:
    from ctmri_core.body_models import BodyModel
    from ctmri_core.data.case_check import CheckReport
    from ctmri_core.data.case_sources import CaseSource
    from ctmri_core.data.dataset import DatasetIndex

Result = TypeVar("Result")
PREPARED = "prepared slices"
_CHECK = "check.json"
_ABOVE, _MOST_NOTES = "See what is said of the cases above.", 3
_STOPPED = "Stopped. What is prepared is kept; press the button to go on."
_IN_THE_WINDOW = {
    "All layouts: ctmri prepare --help.": "Most usual is a folder for each patient, with ct.nii.gz and mr.nii.gz in it.",
    "Name the domains that it has.": "Tick other kinds of pictures, or choose the folder that holds them.",
    "Name a folder of patients, or say phantom:COUNT.": "Choose the folder of the patients, or learn on digital heads.",
    "Unpack it, or say phantom:COUNT.": "Unpack it, and choose the folder.",
    " If pictures of equal names are pairs, prepare them with --pair-by-name; if they must be registered, with --align needed.":
        " If pictures of equal names are pairs, or must be registered first, say so under “How pictures are prepared”.",
    ", or put both on one side with --split.": ".", ", or give --split lists.": ".",
    "Check what the series are: ctmri info.": "Look at what the series are in the main window.",
}  # fmt: skip
"""What to do instead of what is said in a terminal."""


@dataclass(frozen=True)
class Prepared:
    """Slices that lie ready. `report`: what was found of the cases, None where nobody looked; `remarks`: of all of them;
    `size`: bytes on the disk; `own`: made by this window, which may change and delete it.
    """

    folder: Path
    index: DatasetIndex
    report: CheckReport | None
    size: int
    own: bool
    remarks: tuple[str, ...] = ()

    @property
    def known(self) -> KnownData:
        """As the draft of a run takes it."""
        train = [case for case in self.index.cases if case.side == "train"]
        used = [case for case in self.index.cases if case.side]
        domains = tuple(domain for domain in self.index.domains if any(domain in case.domains for case in used))
        each = [sum(case.counted for case in train if domain in case.domains) for domain in domains]
        groups: dict[tuple[Domain, ...], int] = {}
        for case in train:
            groups[case.domains] = groups.get(case.domains, 0) + case.counted
        out = {case.check.number for case in self.index.cases if case.check is not None and not case.side}
        serious = self.report is not None and any(check.serious and check.number not in out for check in self.report.cases)
        return KnownData(
            str(self.folder), domains, max(each, default=0), self.index.patients("train"),
            sum(case.counted for case in self.index.cases if case.side == "validation"),
            sum(count for kinds, count in groups.items() if len(kinds) > 1), serious,
            groups=tuple(groups.items()), curved=bool(self.index.decided.get("soft_tissue_curve")),
        )  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What a folder holds, before anything is read in earnest. `looks`: the layout in words; `pairs`: cases that show more than
    one kind in one place; `domains`: empty where a person must say it; `begun`: cases that are prepared already; `prepared`:
    where all of them are, and no file has changed.
    """

    source: str
    layout: str
    looks: str = ""
    cases: int = 0
    patients: int = 0
    centres: int = 0
    domains: tuple[Domain, ...] = ()
    pairs: int = 0
    pictures: bool = False
    remarks: tuple[str, ...] = ()
    begun: int = 0
    prepared: Prepared | None = None


def look(source: str, choices: DataChoices, stop: StopSignal, output: Path | None = None) -> Work[Look | None]:
    """A quick look at `source`, a folder. `output`: where slices of it are prepared; None: where the window keeps them."""
    yield Progress(done=0, message="looking at the folder")
    from ctmri_core.data.domains_there import domains_there
    from ctmri_core.data.layouts.known import layout_of
    from ctmri_core.data.preparation import prepared_folder

    if (folder := prepared_folder(source)) is not None:
        prepared = read_prepared(folder.path, own=folder.path.parent == user_datasets_folder())
        cases = prepared.index.cases
        return Look(
            source, PREPARED, cases=len({case.key for case in cases}), patients=len({case.patient for case in cases}),
            centres=len({case.centre for case in cases if case.centre}), domains=prepared.known.domains, prepared=prepared,
        )  # fmt: skip
    there = choices.domains or domains_there(source, stop)
    if not there:
        layout = layout_of(Path(source))
        return Look(source, choices.layout or (layout.name if layout else ""), layout.looks if layout else "")
    if stop():
        return None
    choices = choices.showing(there)
    return _looked(source, _cases_of(source, choices, stop), choices, output or choices.folder_for(source))


def without_terminal(message: str) -> str:
    """`message` with what can be done in the window in place of advice for a terminal."""
    for terminal, window in _IN_THE_WINDOW.items():
        message = message.replace(terminal, window)
    return without_flags(message)


def unfinished(end: Finished) -> tuple[str, str]:
    """(words, role) of preparing that did not come to its end."""
    return (_STOPPED, "muted") if end.reason == "stopped" else (without_terminal(end.message), "error")


def _with_notes(message: str, notes: Sequence[str]) -> str:
    """What was said of cases stands above in a terminal; in a window, where nothing does, the first of it follows."""
    if _ABOVE not in message:
        return message
    more = f" {len(notes) - _MOST_NOTES} more were said." if len(notes) > _MOST_NOTES else ""
    return " ".join((message.replace(_ABOVE, "").strip(), *notes[:_MOST_NOTES])) + more


def prepare(source: str, choices: DataChoices, stop: StopSignal, output: Path | None = None) -> Work[Prepared | None]:
    """Checks and prepares `source` into `output`, or the folder that is kept for it; goes on where it was stopped."""
    yield Progress(done=0, message="looking at the folder")
    from ctmri_core.data.preparation import prepare_dataset
    from ctmri_core.data.prepared_place import full_name
    from ctmri_core.data.split import SplitPlan

    found, folder = _cases_of(source, choices, stop), output or choices.folder_for(source)
    make_private(folder)
    made_from = {
        "data": full_name(source), "options": choices.layout_options.model_dump_json(), "align": choices.options.registering,
    }  # fmt: skip
    plan, notes = SplitPlan(**choices.split.model_dump()), list[str]()
    begun = prepare_dataset(
        found, choices.domains, choices.recipe.recipe(), folder, plan, stop, made_from=made_from, options=choices.options,
        outliner=outliner_of(choices),
    )  # fmt: skip
    try:
        index = yield from _timed(begun, notes)
    except TrainingFailed as error:
        raise TrainingFailed(_with_notes(str(error), notes)) from error
    if index is None:
        return None
    _leave_out(folder, index, choices.left_out)
    prepared = read_prepared(folder, own=output is None)
    said = set(prepared.report.sentences() if prepared.report else ())
    remarks = tuple(note for note in (*found.remarks, *notes) if note not in said and not note.startswith("Case "))
    return Prepared(folder, prepared.index, prepared.report, prepared.size, prepared.own, tuple(dict.fromkeys(remarks)))


def outliner_of(choices: DataChoices) -> BodyModel | None:
    """What outlines the body where a person chose that. Raises `CtmriError`."""
    if not choices.options.body_model:
        return None
    from ctmri_core.body_models import body_model

    return body_model(choices.options.body_model, choices.domains)


def delete(folder: Path, _stop: StopSignal) -> Work[bool]:
    """Removes slices that the window prepared. Raises `WriteFailed`."""
    yield Progress(done=0, message="deleting")
    if folder.parent != user_datasets_folder():
        raise TrainingFailed("Only what this window has prepared is deleted here.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise write_failed(folder, error) from error
    return True


def read_prepared(folder: Path, *, own: bool) -> Prepared:
    """What lies ready in `folder`. Raises `CtmriError` where it is damaged, or not prepared to its end."""
    from ctmri_core.data.case_check import CheckReport
    from ctmri_core.data.dataset import DatasetFolder

    index = DatasetFolder(folder).read()
    if not index.complete:
        raise TrainingFailed("These slices are not prepared to their end. Choose the folder that they are made from, and go on.")
    report = None
    with suppress(OSError, ValueError):  # made without a check
        report = CheckReport.model_validate_json((folder / _CHECK).read_bytes())
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return Prepared(folder, index, report, size, own)


def _cases_of(source: str, choices: DataChoices, stop: StopSignal) -> CaseSource:
    from ctmri_core.data.case_sources import find_cases

    voxel_mm = choices.recipe.spacing_mm
    return find_cases(source, choices.domains, voxel_mm, layout=choices.layout, options=choices.layout_options, stop=stop)


def _looked(source: str, found: CaseSource, choices: DataChoices, folder: Path) -> Look:
    from ctmri_core.data.layouts.known import LAYOUTS

    domains = tuple(each for each in choices.domains if any(case.domains is None or each in case.domains for case in found.cases))
    pairs = [case for case in found.cases if case.together and (case.domains is None or len(case.domains) > 1)]
    begun, prepared = _prepared_before(found, folder)
    return Look(
        source, found.layout, next((layout.looks for layout in LAYOUTS if layout.name == found.layout), ""), len(found.cases),
        len({case.patient for case in found.cases}), len({case.centre for case in found.cases if case.centre}), domains,
        len(pairs), any(case.pictures for case in found.cases), found.remarks, begun, prepared,
    )  # fmt: skip


def _prepared_before(found: CaseSource, place: Path) -> tuple[int, Prepared | None]:
    """How many cases are prepared already, from the files as they are now; all of it where nothing is missing."""
    from ctmri_core.data.dataset import DatasetFolder, key_of
    from ctmri_core.data.decisions import Decisions
    from ctmri_core.data.source_stamp import stamp_of

    folder = DatasetFolder(place)
    if not folder.exists():
        return 0, None
    try:
        index = folder.read()
    except FileRefused:
        return 0, None
    known, salt, decisions = folder.remembered(), index.salt, Decisions.read(place)
    wanted = decisions.kept(found.cases)
    records = [(known.get(key_of(case.identifier, salt)), case) for case in wanted]
    same = [record for record, case in records if record is not None and record.stamp == stamp_of(case) + decisions.mark(case)]
    if not index.complete:
        return len(same), None
    prepared = read_prepared(folder.path, own=place.parent == user_datasets_folder())
    checks = prepared.report.cases if prepared.report is not None else ()
    refused = sum(check.has("unreadable") for check in checks)  # no record is kept of them
    return len(same), prepared if len(same) + refused >= len(wanted) else None


def _leave_out(folder: Path, index: DatasetIndex, keys: frozenset[str]) -> None:
    """Takes the cases of `keys` off all sides; their files stay, so that they can be taken back. Raises `TrainingFailed`."""
    from ctmri_core.data.dataset import DatasetFolder

    if not keys & {case.key for case in index.cases}:
        return
    cases = tuple(case.model_copy(update={"side": ""}) if case.key in keys else case for case in index.cases)
    if not any(case.counted for case in cases if case.side == "train"):
        raise TrainingFailed("Nothing is left to learn from when these cases are left out.")
    DatasetFolder(folder).finish(index.model_copy(update={"cases": cases}))


def make_private(folder: Path) -> None:
    """Pictures of patients are readable by their user alone."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise write_failed(folder, error) from error


def _timed(work: Work[Result], notes: list[str]) -> Work[Result]:
    """The same work; its progress says how long it will take, and what it notes is gathered to be shown with the result."""
    begun: tuple[float, int] | None = None
    while True:
        try:
            event = next(work)
        except StopIteration as done:
            result: Result = done.value
            return result
        if isinstance(event, Noted):
            notes.append(event.message)
        elif isinstance(event, Progress) and event.total:
            begun = begun or (time.monotonic(), event.done)
            rate = (event.done - begun[1]) / max(time.monotonic() - begun[0], 1e-3)
            left = (event.total - event.done) / rate if rate > 0 else None
            yield event.model_copy(update={"rate": rate or None, "seconds_left": left})
        else:
            yield event


