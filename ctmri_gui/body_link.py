"""Ties the outline of the body to the session: its controls stand in the dock of translation, its mask can be saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from ctmri_core.domain import Domain
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.preprocess.given_body import mask_volume
from ctmri_core.volume import Volume, Voxels
from ctmri_gui import file_choice
from ctmri_gui.jobs import work
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.bodies import Body, Labels
from ctmri_gui.viewer.body.body_editor import BodyEditor
from ctmri_gui.viewer.body.body_panel import BodyPanel
from ctmri_gui.viewer.compare.label_map import LabelMap, NoMask
from ctmri_gui.viewer.linked_views import LinkedViews

if TYPE_CHECKING:
    from ctmri_core.labels.dicom_seg import DrawnBy

_PATTERN = "NIfTI (*.nii.gz *.nii);;DICOM Segmentation (*.dcm);;labelme (*.json);;MetaImage (*.mha);;NRRD (*.nrrd)"
_OF_LABELS = (".dcm", ".json")
_SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd", *_OF_LABELS)


class BodyLink(QObject):
    """`panel`: what goes into the window."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, history: History, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._settings, self._views, self._window = session, settings, views, window
        self.editor = BodyEditor(views, session.bodies, history, session.jobs, self)
        session.library.changed.connect(self._offer_models)
        self._offer_models()
        self.panel = BodyPanel(self.editor)
        self.panel.saveAsked.connect(self.where_to_save)
        for name, new_mask in (("mask_new", True), ("label_new", False)):
            self.editor.action(name).triggered.connect(partial(self._ask_name, new_mask))

    def _offer_models(self) -> None:
        """Those at hand that outline."""
        entries = self._session.library.entries
        self.editor.offer([entry for entry in entries if entry.card is not None and entry.card.outlines])

    def where_to_save(self) -> None:
        """Asks for a file; its suffix decides the format, NIfTI is offered."""
        target, scan = self.editor.edited.target, self._scan
        if target is None or scan is None:
            return
        folder, number = Path(self._settings["last_folder"] or Path.home()), self._settings.next_number()
        what = "body" if isinstance(target, Body) else "mask"
        chosen = file_choice.new_file(self._window, "Save mask", folder / f"ct_mri_studio_{what}_{number:03d}.nii.gz", _PATTERN)
        if chosen is None:
            return
        named = chosen.name.lower().endswith(_SUFFIXES)
        path = chosen if named else chosen.with_name(f"{chosen.name}.nii.gz")
        if isinstance(target, Body) and not path.name.lower().endswith(_OF_LABELS):
            self._session.save(mask_volume(target.mask, scan), path)
        elif writes_over(path, self._session.open_files):
            self._session.failed.emit(KEPT.format(name=path.name))
        else:
            begin = partial(_save_mask, target, scan, path)
            self._session.jobs.run("Save mask", begin, on_result=self._saved)

    def _ask_name(self, new_mask: bool, _checked: bool = False) -> None:
        """Of a label that is to be drawn."""
        role = self._views.model.reference
        over = None if role is None else self._views.model.volumes[role]
        if over is None:
            return
        refuse = partial(self.editor.new_labels.refusal, new_mask=new_mask)
        title, words = ("New mask", "&Name of its first label") if new_mask else ("New label", "&Name of the label")
        dialog = NameDialog(title, words, refuse, lambda _name: "", self._window, begin="Draw")
        dialog.setObjectName("mask_new" if new_mask else "label_new")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._begin(over if new_mask else None, dialog.name))
        dialog.open()

    def _begin(self, over: Volume | None, name: str) -> None:
        """The brush is at hand at once."""
        try:
            if over is not None:
                self.editor.new_labels.begin_mask(over, name)
            else:
                self.editor.new_labels.begin_label(name)
        except NoMask as refusal:
            self._session.failed.emit(str(refusal))
            return
        self._views.use_tool("body_add")

    @property
    def _scan(self) -> Volume | None:
        """What the mask lies over: where it can be told, the picture that has its voxels."""
        target, volumes = self.editor.edited.target, self._views.model.volumes
        there = [volume for volume in volumes.values() if volume is not None]
        same = [volume for volume in there if target is not None and volume.geometry.is_close(target.geometry)]
        return self.editor.source if self.editor.edited.is_body else next(iter(same or there), None)

    def _saved(self, path: Path | None) -> None:
        if path is not None:
            self._session.saved.emit(path)


def _save_mask(target: Body | LabelMap, scan: Volume, path: Path, stop: StopSignal) -> Work[Path | None]:
    """A job; later strokes do not change what is saved."""
    from ctmri_core.labels.saving import save_labels

    labels = target.labels.copy()
    yield Progress(done=0, message="writing")
    if isinstance(target, Body):
        drawn_by: DrawnBy = "SEMIAUTOMATIC" if target.by_hand else "AUTOMATIC"
        return (yield from save_labels(labels, target.geometry, {1: "body"}, scan, path, drawn_by, stop))
    if path.name.lower().endswith(_OF_LABELS):
        names = {place: target.names.get(value, f"label_{value}") for place, value in enumerate(target.values, 1)}
        return (yield from save_labels(labels, target.geometry, names, scan, path, "SEMIAUTOMATIC", stop))
    made = Volume(
        _with_numbers(labels, target.values), target.geometry, Domain.UNKNOWN, "Labels",
        frame_of_reference=scan.frame_of_reference, history=("labels drawn on a scan",),
    )  # fmt: skip
    return (yield from work.save(made, path, None, "dicom", False, False, stop))


def _with_numbers(labels: Labels, values: tuple[int, ...]) -> Voxels:
    """The numbers that the file gave, in place of their places."""
    numbers = np.asarray((0, *values))
    if numbers.min() >= -(1 << 15) and numbers.max() < 1 << 15:
        return numbers.astype(np.int16)[labels]
    return numbers.astype(np.float32)[labels]
