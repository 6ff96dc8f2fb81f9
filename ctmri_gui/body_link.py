"""Ties the outline of the body to the session: its controls stand in the dock of translation, its mask can be saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_core.preprocess.given_body import mask_volume
from ctmri_gui import file_choice
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.body_editor import BodyEditor
from ctmri_gui.viewer.body.body_panel import BodyPanel
from ctmri_gui.viewer.linked_views import LinkedViews

_PATTERN = "NIfTI (*.nii.gz *.nii);;MetaImage (*.mha);;NRRD (*.nrrd)"
_SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd")


class BodyLink(QObject):
    """`panel`: what goes into the window."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, history: History, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._settings, self._window = session, settings, window
        self.editor = BodyEditor(views, session.bodies, history, session.jobs, self)
        session.library.changed.connect(self._offer_models)
        self._offer_models()
        self.panel = BodyPanel(self.editor)
        self.panel.saveAsked.connect(self.where_to_save)

    def _offer_models(self) -> None:
        """Those at hand that outline."""
        entries = self._session.library.entries
        self.editor.offer([entry for entry in entries if entry.card is not None and entry.card.outlines])

    def where_to_save(self) -> None:
        """Asks for a file; its suffix decides the format, NIfTI is offered."""
        source, body = self.editor.source, self.editor.body
        if source is None or body is None:
            return
        folder, number = Path(self._settings["last_folder"] or Path.home()), self._settings.next_number()
        chosen = file_choice.new_file(self._window, "Save mask", folder / f"ct_mri_studio_body_{number:03d}.nii.gz", _PATTERN)
        if chosen is None:
            return
        named = chosen.name.lower().endswith(_SUFFIXES)
        target = chosen if named else chosen.with_name(f"{chosen.name}.nii.gz")
        self._session.save(mask_volume(body.mask, source), target)
