"""Brings pictures, films and cine to the window: asks, paints, hands the writing to a job, tells how it ended."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from ctmri_core.errors import CtmriError
from ctmri_gui import file_choice
from ctmri_gui.film import film_work
from ctmri_gui.film.cine import Cine
from ctmri_gui.film.cine_bar import CineBar
from ctmri_gui.film.look import Look
from ctmri_gui.film.order import Kind, Order
from ctmri_gui.film.painted_frames import PaintedFrames
from ctmri_gui.film.states import GONE, Slices, States, WipeLine
from ctmri_gui.film.studio import Studio, rows_of
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.slice_view import SliceView

_PATTERNS = {".png": "PNG (*.png)", ".gif": "GIF (*.gif)", ".mp4": "MP4 (*.mp4)"}
_WIPE_FRAMES = 60
_TITLES = {Kind.PICTURE: "Save picture", Kind.GRID: "Save grid of slices"}


class FilmLink(QObject):
    """Holds cine, and what was asked for last."""

    mp4Known = Signal(str)  # why MP4 cannot be written here; empty where it can

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, cine: QAction) -> None:
        """`cine`: the command that plays and pauses."""
        super().__init__(views)
        self._session, self._settings, self._views = session, settings, views
        self.cine = Cine(views, self)
        self.bar = CineBar(self.cine, settings, cine)
        self.bar.closed.connect(self._close_cine)
        self.cine.changed.connect(cine.setChecked)
        self._command = cine
        views.model.volumesChanged.connect(self._follow_volumes)
        plays = {key: settings[f"film_{key}"] for key in ("rate", "there_and_back")}
        self._last = Order(Kind.PICTURE, (), "", Look(), film_suffix=settings["film_format"], **plays)
        self._mp4_problem: str | None = None

    # Cine -------------------------------------------------------------------------------------------------------------

    def toggle_cine(self) -> None:
        """Plays or pauses; the bar stays until it is closed or nothing is open."""
        self.cine.toggle()
        self._command.setChecked(self.cine.playing)  # one slice alone does not play
        self.bar.setVisible(self.bar.isVisible() or self.cine.playing)

    def _follow_volumes(self) -> None:
        """There is nothing to play without a volume."""
        if not self._views.model.volumes:
            self._close_cine()

    def _close_cine(self) -> None:
        self.cine.pause()
        self.bar.hide()

    # Pictures and films -----------------------------------------------------------------------------------------------

    def copy(self) -> None:
        """The panes as large as they are on the screen, without names of files, into the clipboard."""
        shown = self._shown
        if shown:
            canvas = self._views.panes[shown[0]].canvas
            ratio = max(round(canvas.devicePixelRatio()), 1)
            look = Look((max(canvas.width(), 1), max(canvas.height(), 1)), ratio, facts=canvas.annotations.text_visible)
            self._copy(Order(Kind.PICTURE, shown, shown[0], look))

    def ask(self, kind: Kind) -> None:
        """Opens the dialog, which begins with `kind`."""
        from ctmri_gui.film.picture_dialog import PictureDialog

        shown = self._shown
        if not shown:
            return
        leading = self._views.active_pane if self._views.active_pane in shown else shown[0]
        start = replace(self._last, kind=kind, panes=shown, leading=leading)
        dialog = PictureDialog(self._views, start, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._ask_where(dialog.order))
        dialog.copyAsked.connect(lambda: self._copy(dialog.order))
        self.mp4Known.connect(dialog.tell_mp4)
        self._look_for_mp4()
        dialog.open()

    def _look_for_mp4(self) -> None:
        if self._mp4_problem is not None:
            self.mp4Known.emit(self._mp4_problem)
        else:
            self._session.jobs.run("Look for ffmpeg", film_work.why_no_mp4, on_result=self._take_mp4, listed=False)

    def _take_mp4(self, problem: str) -> None:
        self._mp4_problem = problem
        self.mp4Known.emit(problem)

    def _copy(self, order: Order) -> None:
        QGuiApplication.clipboard().setImage(self._studio(order).paint())
        self._session.done.emit("The picture is in the clipboard.")

    def _ask_where(self, order: Order) -> None:
        """A picture is painted now, whatever the panes show when the place has been chosen."""
        self._remember(order)
        studio = self._studio(order)
        image = studio.paint() if order.kind is Kind.PICTURE else None
        name = f"ct_mri_studio_{self._settings.next_number():03d}{order.suffix}"
        start, title = Path(self._settings["last_folder"] or Path.home()) / name, _TITLES.get(order.kind, "Save film")
        chosen = file_choice.new_file(self._window, title, start, _PATTERNS[order.suffix])
        if chosen is None:
            return
        named = chosen.suffix.lower() == order.suffix
        target = chosen if named else chosen.with_name(f"{chosen.name}{order.suffix}")
        if writes_over(target, self._session.open_files):
            self._session.failed.emit(KEPT.format(name=target.name))
        else:
            self._save(order, studio, image, target)

    def _remember(self, order: Order) -> None:
        """Over starts of the program only how a film plays: what stands on a picture is chosen for each case."""
        self._last = order
        if order.kind.is_film:
            settings = self._settings
            settings["film_format"], settings["film_rate"] = order.film_suffix, order.rate
            settings["film_there_and_back"] = order.there_and_back

    def _save(self, order: Order, studio: Studio, image: QImage | None, target: Path) -> None:
        self.cine.pause()
        if image is None:
            states = self._states(order)
            frames = PaintedFrames(len(states), partial(self._paint, self._panes_of(order), studio, states), self)
        else:
            frames = PaintedFrames(1, lambda _number: image, self)
        self._session.jobs.run(
            _TITLES.get(order.kind, "Save film"),
            partial(film_work.write, order, frames, target, studio.synthetic),
            on_result=lambda path: self._session.saved.emit(path),
            on_end=lambda _end: frames.deleteLater(),
        )

    def _paint(self, panes: dict[str, SliceView], studio: Studio, states: States, number: int) -> QImage | None:
        """One frame; None while a pane's picture is being made. The panes are put back before they are painted on the screen."""
        if any(self._views.panes.get(name) is not pane for name, pane in panes.items()):
            raise CtmriError(GONE)
        with states.at(number):
            return studio.paint() if studio.ready else None

    def _studio(self, order: Order) -> Studio:
        return Studio(rows_of(self._views.panes, order.panes), order.look)

    def _panes_of(self, order: Order) -> dict[str, SliceView]:
        return {name: self._views.panes[name] for name in order.panes}

    def _states(self, order: Order) -> States:
        if order.kind is Kind.WIPE:
            return WipeLine(self._views, order.panes, order.leading, _WIPE_FRAMES)
        return Slices(self._views, order.panes, order.leading, order.slices)

    @property
    def _window(self) -> QWidget:
        return self._views.window()

    @property
    def _shown(self) -> tuple[str, ...]:
        """The panes that are seen and hold a volume."""
        model = self._views.model
        return tuple(name for name, pane in self._views.panes.items() if pane.role in model.volumes and not pane.isHidden())
