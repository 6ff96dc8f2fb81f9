"""Ties comparing to the session: masks are opened by command, or recognised when they are dropped like scans; what was chosen is
remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from ctmri_core.errors import CtmriError
from ctmri_core.events import Noted, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume
from ctmri_gui import file_choice
from ctmri_gui.jobs import work
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.compare.label_map import LabelMap, label_map_of, on_voxels, surely_mask
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.slice_stack import box_in

_COLOURS = "difference_colours"
_NOTHING_OPEN = "Open a scan first; a mask lies over one."
_SEVERAL = "{count} images lie there; a mask is one. Choose its file."
_ELSEWHERE = "The mask lies outside the images of this case: nothing of it is seen."
_QUESTION = "This image holds few different values, all of them whole numbers, as a mask does. Show it over the pictures?"


class CompareLink(QObject):
    """Masks lie over what `views` show. They are named by number: a file's name may be that of a patient, and names of masks
    stand on the pictures."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._settings, self._views, self._window = session, settings, views, window
        self._count = 0
        session.arrivals.maskLike.connect(self._ask)
        views.compare.model.set_colours(settings[_COLOURS])
        views.compare.model.coloursChanged.connect(self._remember_colours)
        settings.changed.connect(self._setting_changed)

    def which_file(self) -> None:
        """Asks for a mask and shows it."""
        if self._views.model.reference is None:
            self._session.failed.emit(_NOTHING_OPEN)
            return
        chosen = file_choice.existing_files(self._window, "Open mask", self._settings["last_folder"])
        over = self._reference
        stacks = over is not None and over.geometry.shape[0] > 1
        for path in {path.parent if stacks and _is_drawing(path) else path: path for path in reversed(chosen)}.values():
            self.open(path)  # of drawings on slices any one stands for all in its folder

    def open(self, path: Path) -> None:
        """Reads a mask in the background and puts it over what is shown now, even if another case is shown by then."""
        over = self._reference
        begin, take = partial(_read, path, self._next_name(), over), partial(self._take, over)
        self._session.jobs.run("Open mask", begin, on_result=take)

    def _remember_colours(self, name: str) -> None:
        self._settings[_COLOURS] = name

    def _setting_changed(self, key: str) -> None:
        if key == _COLOURS:
            self._views.compare.model.set_colours(self._settings[key])

    def _ask(self, volume: Volume, as_scan: Callable[[], None]) -> None:
        """`as_scan`: what is done with anything else that is dropped. A file that says that it is a mask is asked nothing."""
        if surely_mask(volume):
            if self._reference is None:
                self._session.failed.emit(_NOTHING_OPEN)
            else:
                self._convert(volume)
            return
        box = QMessageBox(QMessageBox.Icon.Question, "Mask or scan", _QUESTION, parent=self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        yes = box.addButton("Show as &mask", QMessageBox.ButtonRole.AcceptRole)
        no = box.addButton("Open as &scan", QMessageBox.ButtonRole.NoRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(yes)
        yes.clicked.connect(lambda: self._convert(volume))
        no.clicked.connect(as_scan)
        box.open()

    def _convert(self, volume: Volume) -> None:
        over = self._reference
        begin, take = partial(_converted, volume, self._next_name(), over), partial(self._take, over)
        self._session.jobs.run("Open mask", begin, on_result=take, listed=False)

    def _next_name(self) -> str:
        self._count += 1
        return f"Mask {self._count}"

    @property
    def _reference(self) -> Volume | None:
        role = self._views.model.reference
        return None if role is None else self._views.model.volumes[role]

    def _take(self, over: Volume | None, found: LabelMap | None) -> None:
        over = over or self._reference
        if found is None or over is None:
            return
        self._views.compare.masks.add(found, over)
        if _apart(found.geometry, over.geometry):
            self._session.noted.emit(_ELSEWHERE)


def _is_drawing(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _read(path: Path, name: str, over: Volume | None, stop: StopSignal) -> Work[LabelMap | None]:
    if over is not None and _is_drawing(path):
        from ctmri_core.labels.drawn_over import drawn_over

        drawn = yield from drawn_over(path, over, stop)
        return None if drawn is None else label_map_of(drawn, name)
    series = yield from work.find_series((path,), stop)
    if series is None:
        return None
    if len(series) != 1:
        raise CtmriError(_SEVERAL.format(count=len(series)))
    volumes = yield from work.load_series(series, stop)
    return None if volumes is None else (yield from _converted(volumes[0], name, over, stop))


def _converted(volume: Volume, name: str, over: Volume | None, _stop: StopSignal) -> Work[LabelMap]:
    """With what its file said that is serious: nothing else will say it."""
    for finding in volume.findings:
        if finding.serious:
            yield Noted(message=f"The mask: {finding.message}", serious=True)
    found = label_map_of(volume, name)
    return found if over is None else on_voxels(found, over.geometry)


def _apart(one: Geometry, other: Geometry) -> bool:
    """Whether two grids have no part of space in common, as boxes along the axes of the second."""
    first, last = box_in(one, other)
    return bool((last < -0.5).any() or (first > [n - 0.5 for n in other.shape]).any())
