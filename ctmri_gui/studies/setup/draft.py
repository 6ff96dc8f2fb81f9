"""The study that is being put together: kept as it is changed, so that nothing is lost by closing a window. Knows no widget."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.studies.foreseen import Foreseen, foresee
from ctmri_core.studies.request import StudyRequest
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings

KEPT = "study_draft"
_LEFT_OUT = "study_draft_left_out"
FRESH = StudyRequest(readers=("R1", "R2", "R3"))
"""What one begins with: title, model and data are all that is missing."""
PHANTOM = "phantom:"
_PHANTOM_SEED = 5000  # far from the heads that models learn from
_COUNTS = ("design", "models", "predictions", "cases", "paired", "proportion", "repeats", "practice", "order_kept")
_PATHS = ("folder", "truth", "sources", "masks", "patients", "labels", "findings", "body_model")
_PATH_LISTS = ("models", "predictions", "made_by")


class Draft(QObject):
    """`request`: as it stands; `passphrase`: never kept; `foreseen`: what its numbers come to, None while that is worked out.

    `changed`: something else is wanted; `replaced`: all of it, at once; `foreseenChanged`: `foreseen` is known anew.
    """

    changed = Signal()
    replaced = Signal()
    foreseenChanged = Signal()

    def __init__(self, jobs: Jobs, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._counting = Latest(jobs)
        self.request = self._read()
        self.passphrase = ""
        self.forgotten: int = settings[_LEFT_OUT]
        """How many cases were left out by hand in a window before this one: who they were is not kept, and must be said again."""
        self.foreseen: Foreseen | None = None
        self._foresee()

    @property
    def begun(self) -> bool:
        """Whether anything was chosen yet."""
        return self.request != FRESH

    @property
    def models(self) -> int:
        """Kinds of synthetic pictures."""
        return len(self.request.models) or len(self.request.predictions)

    def change(self, **fields: Any) -> None:
        """Fields of the request, without a word where nothing differs."""
        before, self.request = self.request, self.request.model_copy(update=fields)
        if self.request != before:
            self.forgotten = 0 if self.request.by_hand else self.forgotten
            self._keep()
            if any(getattr(before, name) != getattr(self.request, name) for name in _COUNTS):
                self._foresee()
            self.changed.emit()

    def leave_nobody_out(self) -> None:
        """Those who were left out before are not any more."""
        if self.forgotten:
            self.forgotten = 0
            self._keep()
            self.changed.emit()

    def begin_anew(self) -> None:
        """Forgets what was chosen."""
        self.request, self.passphrase, self.forgotten = FRESH, "", 0
        self._keep()
        self._foresee()
        self.replaced.emit()
        self.changed.emit()

    def complete(self, folder: Path) -> StudyRequest:
        """As it is to be made in `folder`: of digital heads as many as it needs."""
        data = self.request.data
        if data.startswith(PHANTOM) and self.foreseen is not None:
            data = f"{PHANTOM}{max(self.foreseen.patients, 1)}:{_PHANTOM_SEED}"
        return self.request.model_copy(update={"folder": folder, "data": data})

    def _foresee(self) -> None:
        asked = self.request
        self.foreseen = None
        begin = partial(_foreseen, asked, max(self.models, 2 if asked.design == "rank" else 1))
        self._counting.ask("Look at the order of a study", begin, self._take_foreseen, listed=False)

    def _take_foreseen(self, foreseen: Foreseen) -> None:
        self.foreseen = foreseen
        self.foreseenChanged.emit()

    def _keep(self) -> None:
        """In the user's own settings; paths that tell of a patient are left out."""
        request = self.request
        left: dict[str, Any] = {name: None for name in _PATHS if _tells(getattr(request, name))}
        left |= {name: () for name in _PATH_LISTS if any(map(_tells, getattr(request, name)))}
        if not request.data.startswith(PHANTOM) and request.data and _tells(Path(request.data)):
            left["data"] = ""
        left["by_hand"] = {}  # names of cases may be those of patients
        self._settings[_LEFT_OUT] = len(request.by_hand) or self.forgotten
        kept = request.model_copy(update=left) if self._settings["remember_recent"] else request.model_copy(
            update={**dict.fromkeys(_PATHS), **dict.fromkeys(_PATH_LISTS, ()), "data": "", "by_hand": {}}
        )  # fmt: skip
        self._settings[KEPT] = kept.model_dump_json()

    def _read(self) -> StudyRequest:
        try:
            return StudyRequest.model_validate_json(self._settings[KEPT]) if self._settings[KEPT] else FRESH
        except ValidationError:  # of another version
            return FRESH


def _tells(path: Path | None) -> bool:
    return path is not None and tells_of_patient(path)


def _foreseen(asked: StudyRequest, models: int, _stop: StopSignal) -> Work[Foreseen]:
    yield Progress(done=0, message="looking at the order")
    return foresee(asked.design, models, asked.cases, asked.plan_of_counts(), paired=asked.paired)
