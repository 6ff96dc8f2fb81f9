"""Models that may not be used commercially: their terms before the first use, and the setting that hides them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.volume import Finding
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

KIND = "terms"
"""Of a finding that holds the terms of a model."""
_SETTING = "hide_noncommercial"


class Terms(QObject):
    """Ties the setting to the list of models. What the command line set counts until the models were listed once."""

    def __init__(self, jobs: Jobs, library: Library, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._library, self._settings, self._known = jobs, library, settings, False
        settings.changed.connect(self._setting_changed)
        library.changed.connect(self._models_listed)

    def agree(self, entry: ModelEntry) -> None:
        """A person has seen the terms of this model, and of the one that translates back."""
        back = self._library.back_of(entry)
        paths = [entry.path] if back is None else [entry.path, back.path]
        self._jobs.run("Note that terms were seen", partial(_remember, paths), listed=False)

    def _setting_changed(self, key: str) -> None:
        if key == _SETTING and self._known:
            begin = partial(_hide, self._settings[_SETTING])
            self._jobs.run("Hide models", begin, on_result=lambda _done: self._library.refresh(), listed=False)

    def _models_listed(self) -> None:
        if not self._known:
            from ctmri_core.model_card.terms import hides_noncommercial  # loaded by now, as models were listed

            self._settings[_SETTING] = hides_noncommercial()
            self._known = True


def unsaid(models: Iterable[Path | None]) -> tuple[Finding, ...]:
    """What has to be seen before these models are used. Raises `ModelRefused`."""
    from ctmri_core.model_card import read_card
    from ctmri_core.model_card.terms import unsaid_terms

    words = unsaid_terms(read_card(path) for path in models if path is not None)
    return tuple(Finding(KIND, each, serious=True) for each in words)


def _remember(models: Iterable[Path], _stop: StopSignal) -> Work[bool]:
    """Raises `WriteFailed`."""
    from ctmri_core.model_card import read_card
    from ctmri_core.model_card.terms import remember_said

    yield Progress(done=0, message="noting")
    remember_said(read_card(path) for path in models)
    return True


def _hide(hidden: bool, _stop: StopSignal) -> Work[bool]:
    """For the command line as well. Raises `WriteFailed`."""
    from ctmri_core.model_card.terms import hide_noncommercial

    yield Progress(done=0, message="noting")
    hide_noncommercial(hidden)
    return True
