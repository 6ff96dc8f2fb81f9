"""Ties the outline of the body to the session: its controls stand in the dock of translation, its mask can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from ctmri_gui.cases.case import Case
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.name_dialog import NameDialog
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.translating.save_work import save_with
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.bodies import Body, Labels
from ctmri_gui.viewer.body.body_editor import BodyEditor
from ctmri_gui.viewer.body.body_panel import BodyPanel
from ctmri_gui.viewer.body.unsaved import UnsavedMasks
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
        self.unsaved = UnsavedMasks(views.compare.masks, session.bodies)
        self._agreed = False
        self.editor.changes.drawn.connect(self.unsaved.drawn)
        session.saved.connect(self.unsaved.saved)
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
        self.unsaved.saving(target, path)
        if isinstance(target, Body) and not path.name.lower().endswith(_OF_LABELS):
            self._session.save(mask_volume(target.mask, scan), path)
        elif writes_over(path, self._session.open_files):
            self._session.failed.emit(KEPT.format(name=path.name))
        else:
            begin = partial(_save_mask, target, scan, path)
            self._session.jobs.run("Save mask", begin, on_result=self._saved)

    def may_close(self) -> bool:
        """Whether the program may end now; else a person is asked, and where that agrees the window closes then."""
        if self._agreed:
            return True
        return self._may_lose(self._session.cases.all, self._close_window)

    def close_case(self, case: Case | None = None) -> None:
        """That one, or the one on the screen, once nothing drawn is lost with it, or that is agreed to."""
        closing = case if isinstance(case, Case) else self._session.cases.current
        if self._may_lose([closing], partial(self._session.close_case, closing)):
            self._session.close_case(closing)

    def close_all_cases(self) -> None:
        """In the same way."""
        if self._may_lose(self._session.cases.all, self._session.close_all_cases):
            self._session.close_all_cases()

    def _may_lose(self, cases: Iterable[Case], then: Callable[[], None]) -> bool:
        names = self.unsaved.over(volume for case in cases for volume in case.volumes.values())
        if names:
            text = f"{' and '.join(names)}: changed by hand and not saved."
            ask(
                self._window, "Masks", text, "What was drawn is lost. Save mask… keeps it.",
                yes="Close without saving", no="Cancel", then=then, name="unsaved_masks",
            )  # fmt: skip
        return not names

    def _close_window(self) -> None:
        self._agreed = True
        self._window.close()

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
    return (yield from save_with(made, path, None, (), "dicom", False, False, stop))


def _with_numbers(labels: Labels, values: tuple[int, ...]) -> Voxels:
    """The numbers that the file gave, in place of their places."""
    numbers = np.asarray((0, *values))
    if numbers.min() >= -(1 << 15) and numbers.max() < 1 << 15:
        return numbers.astype(np.int16)[labels]
    return numbers.astype(np.float32)[labels]
