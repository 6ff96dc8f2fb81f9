"""The window's frame: views in the middle, docks beside them, menus, messages. It renders the session and hands on intents."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.volume import Volume
from ctmri_gui.actions import make_actions
from ctmri_gui.align_link import AlignLink
from ctmri_gui.batch.batch_link import BatchLink
from ctmri_gui.body_link import BodyLink
from ctmri_gui.cases.case_bar import CaseBar
from ctmri_gui.compare_link import CompareLink
from ctmri_gui.docks import Docks, Panel
from ctmri_gui.evaluation.evaluation_link import EvaluationLink
from ctmri_gui.film.film_link import FilmLink
from ctmri_gui.film.order import Kind
from ctmri_gui.front_dock import follow_work
from ctmri_gui.layout_link import LayoutLink
from ctmri_gui.measuring_link import MeasuringLink
from ctmri_gui.menus import PresetMenu, RecentMenu, make_menus
from ctmri_gui.messages import MessageBars
from ctmri_gui.metrics_link import MetricsLink
from ctmri_gui.models_link import ModelsLink
from ctmri_gui.notices import Notices
from ctmri_gui.out_of_sight import OutOfSight
from ctmri_gui.panels.jobs_panel import JobsPanel
from ctmri_gui.panels.translation_panel import TranslationPanel
from ctmri_gui.panels.volumes_panel import VolumesPanel
from ctmri_gui.panels.welcome import Welcome
from ctmri_gui.preparing.prepare_link import PrepareLink
from ctmri_gui.questions import Questions
from ctmri_gui.save_dialog import DICOM, NIFTI
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.shortcuts.bindings import Bindings
from ctmri_gui.status_bar import StatusBar
from ctmri_gui.studies_link import StudiesLink
from ctmri_gui.theme import app_icon, apply_theme
from ctmri_gui.tool_bars import ToolBars
from ctmri_gui.training_link import TrainingLink
from ctmri_gui.translating.certainty_link import CertaintyLink
from ctmri_gui.undo import History, follow_history
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer_habits import ViewerHabits

TITLE = "CT-MRI Studio"  # never a file's or patient's name: titles end up in screenshots and task lists
_TAKE_VOLUMES = ("save", "export_dicom", "header", "screenshot", "film", "copy_picture", "cine")
"""Commands that would take what lies under the first picture of a scan that is being opened."""
_STATE_VERSION = 2  # of the docks' arrangement: one of an earlier version is not taken
_LARGEST_AT_FIRST, _SHARE_OF_SCREEN = QSize(1900, 1200), 0.95


class MainWindow(QMainWindow):
    """One session on the screen."""

    def __init__(self, session: Session, settings: Settings) -> None:
        super().__init__()
        self.session, self.settings = session, settings
        self.setWindowTitle(TITLE)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.command = make_actions(self)
        self.history = History(self)
        self.views = LinkedViews()
        self.messages = MessageBars()
        self.film = FilmLink(session, settings, self.views, self.command["cine"])
        self.cases = CaseBar(session.cases)
        self.aligning = AlignLink(session, settings, self.views, self.history, self.messages, self)
        self.pages = QStackedWidget()
        self.welcome = Welcome(self.command["open_demo"], self.command["open_folder"], self.command["open_file"])
        self.translation = TranslationPanel(session, self.command)
        self.metrics = MetricsDock(self.command["worst_slice"])
        self.measuring = MeasuringLink(session, settings, self.views, self.history, self)
        self.body = BodyLink(session, settings, self.views, self.history, self)
        self.translation.add_part(self.body.panel)
        self.certainty = CertaintyLink(session, settings, self.views, self)
        self.translation.show_results(self.certainty.box)
        self._place_centre()
        self._place_docks()
        self.metrics_link = MetricsLink(session, self.views, self.metrics, self.measuring.measuring.model)
        self.compare_link = CompareLink(session, settings, self.views, self)
        self._place_status()
        self._place_commands()
        self._connect_commands()
        self._connect_session()
        self.layouts = LayoutLink(self.views.arrangement, self.settings, self.history, self)
        self._restore()
        self._follow_volumes()

    # Building ---------------------------------------------------------------------------------------------------------

    def _place_centre(self) -> None:
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.views)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.cases)
        column.addWidget(self.aligning.bar)
        column.addWidget(self.pages, 1)
        column.addWidget(self.film.bar)
        self.setCentralWidget(centre)

    def _place_docks(self) -> None:
        self.setDockNestingEnabled(True)
        panels = (
            Panel("Translation", "Translate", self.translation),
            Panel("Metrics", "Metrics", self.metrics),
            Panel("Measurements", "Measure", self.measuring.dock),
            Panel("Images", "Images", VolumesPanel(self.session)),
            Panel("Jobs", "Jobs", JobsPanel(self.session.jobs)),
        )
        self.docks = Docks(self, panels)
        self.docks.left.connect(self._to_pictures)
        follow_work(self.docks, self.session, self.views)

    def _place_status(self) -> None:
        self.foot = StatusBar(self.session.jobs, self.command["jobs"])
        self.cursor_text = self.foot.cursor_text
        self.setStatusBar(self.foot)

    def _place_commands(self) -> None:
        self.recent = RecentMenu(self.session, self.settings, self.command["forget_recent"], self)
        docks = [dock.toggleViewAction() for dock in self.docks.by_name.values()]
        make_menus(self, self.command, self.views.actions_by_name, docks, self.recent, PresetMenu(self.views))
        self.bars = ToolBars(self, self.command, self.views)
        self.bindings = Bindings(self.settings, self.command, self.views.actions_by_name, self)
        self.habits = ViewerHabits(self.views, self.settings, self.bindings, self.history, self)

    def _connect_commands(self) -> None:
        session = self.session
        ask = self.questions = Questions(session, self.settings, self.views, self.bindings, self)
        self.training = TrainingLink(session, self.settings, self.messages, self)
        self.batch = BatchLink(session, self.settings, self)
        self.evaluation = EvaluationLink(session, self.settings, self.views, self)
        self.studies = StudiesLink(session, self.settings, self.views, self)
        self.preparing = PrepareLink(session, self.settings, self.training.open_with, self)
        handlers = {
            "open_file": ask.which_file,
            "open_folder": ask.which_folder,
            "open_demo": session.open_demo,
            "open_in_new_case": lambda: ask.which_file(alone=True),
            "open_mask": self.compare_link.which_file,
            "next_case": lambda: session.step_case(1),
            "previous_case": lambda: session.step_case(-1),
            "close_case": self.body.close_case,
            "close_all_cases": self.body.close_all_cases,
            "save": lambda: ask.where_to_save(NIFTI, self.certainty.beside()),
            "export_dicom": lambda: ask.where_to_save(DICOM, self.certainty.beside()),
            "screenshot": partial(self.film.ask, Kind.PICTURE),
            "film": partial(self.film.ask, Kind.SCROLL),
            "copy_picture": self.film.copy,
            "cine": self.film.toggle_cine,
            "forget_recent": self.settings.forget_recent,
            "quit": self.close,
            "translate": session.translate,
            "cancel": session.cancel_translation,
            "add_model": ask.which_model,
            "worst_slice": self.metrics_link.go_to_worst,
            "train": self.training.open,
            "translate_folder": self.batch.open,
            "evaluate": self.evaluation.open,
            "prepare": self.preparing.open,
            "new_study": self.studies.new_study,
            "open_study": self.studies.open_study,
            "rehearse_study": self.studies.rehearse,
            "jobs": partial(self.docks.show_dock, "Jobs"),
            "go_translation": partial(self.docks.show_dock, "Translation"),
            "go_metrics": partial(self.docks.show_dock, "Metrics"),
            "go_measurements": partial(self.docks.show_dock, "Measurements"),
            "go_images": partial(self.docks.show_dock, "Images"),
            "arrange_docks": self.docks.arrange,
            "header": ask.show_header,
            "full_screen": self._toggle_full_screen,
            "settings": ask.show_settings,
            "shortcuts": ask.show_keys,
            "change_keys": ask.change_keys,
            "about": ask.show_about,
        }
        self.aligning.connect_actions(self.command["align"], self.command["align_by_hand"], self.command["load_transform"])
        for name, handler in handlers.items():
            self.command[name].triggered.connect(lambda _checked=False, call=handler: call())
        self.certainty.saveAsked.connect(lambda first: ask.where_to_save(NIFTI, self.certainty.beside(), first))
        follow_history(self.history, self.command["undo"], self.command["redo"])

    def _connect_session(self) -> None:
        session = self.session
        self.notices = Notices(session, self.settings, self.messages, self)
        self.out_of_sight = OutOfSight(session, self.views.arrangement, self.messages, self)
        session.caseChanged.connect(self._clear_views)
        session.volumeChanged.connect(self._show_volume)
        session.groundChanged.connect(partial(self._show_warnings, Role.TRUTH))
        self.models = ModelsLink(session, self.views, self.command, self)
        self.cases.picked.connect(session.show_case)
        self.cases.closeAsked.connect(self.body.close_case)
        self.cases.dropped.connect(lambda paths: session.open_paths(paths, alone=True))
        session.cases.listChanged.connect(self._follow_cases)
        session.cases.keep("views", self.views.model.keep, self.views.put_back)
        session.cases.keep("history", self.history.keep, self.history.put_back)
        session.scanOpened.connect(self.views.focus_source)
        session.openings.choiceNeeded.connect(self.questions.which_series)
        session.openings.spacingNeeded.connect(self.questions.which_spacing)
        session.openings.roomNeeded.connect(self.questions.which_cases_to_close)
        session.openings.changed.connect(lambda state: self.views.covers.tell(state.text, state.fraction))
        session.openings.changed.connect(lambda state: self.welcome.tell(state.text))
        session.demoTold.connect(self.welcome.tell)
        session.previewOver.connect(self._end_previews)
        session.previewed.connect(self._show_preview)
        self.views.offerTaken.connect(self.questions.mend)
        self.views.actions_by_name["body_mask"].triggered.connect(self._show_body_panel)
        session.translationDoubted.connect(self.questions.translate_doubtful)
        session.jobs.idle.connect(self._close_when_asked)
        self.views.volumeDropped.connect(lambda paths, role: session.open_paths(paths, role, alone=role is None))
        self.views.escaped.connect(self._leave_full_screen)
        self.views.cursorMoved.connect(lambda readout: self.cursor_text.set_forms(self.certainty.forms(readout)))
        self.settings.changed.connect(self._setting_changed)
        session.library.changed.connect(self._show_all_warnings)  # the model that made an image may be known by now
        session.library.changed.connect(lambda: QTimer.singleShot(0, self, self._share_room))

    # Showing ----------------------------------------------------------------------------------------------------------

    def _clear_views(self) -> None:
        """Between two cases, so that nothing of one is laid out beside the other."""
        self.views.covers.clear()
        self.views.clear()

    def _show_body_panel(self, shown: bool) -> None:
        """What changes the outline stands beside it; the keys stay with the pictures."""
        if shown:
            self.docks.show_dock("Translation")
            self.views.focus_active()

    def _follow_cases(self) -> None:
        for name in ("next_case", "previous_case"):
            self.command[name].setEnabled(bool(self.session.cases.others))

    def _show_volume(self, role: Role, volume: Volume | None) -> None:
        self.views.set_volume(role, volume)
        self._show_warnings(role)
        self._follow_volumes()

    def _show_warnings(self, role: Role) -> None:
        self.views.set_banner(role, self.session.warnings(role), self.session.offers(role))

    def _show_all_warnings(self) -> None:
        for role in Role:
            self._show_warnings(role)

    def _show_preview(self, role: Role, volume: Volume) -> None:
        self.views.covers.show(role, volume)
        self._follow_volumes()

    def _end_previews(self) -> None:
        self.views.covers.clear()
        self.welcome.tell("")
        self._follow_volumes()

    def _follow_volumes(self) -> None:
        volumes = self.session.volumes
        any_shown = any(volume is not None for volume in volumes.values())
        shows = any_shown or any(self.views.covers.shown(role) for role in Role)
        self.pages.setCurrentWidget(self.views if shows else self.welcome)
        self.bars.show_tools(shows)
        for name in _TAKE_VOLUMES:
            self.command[name].setEnabled(any_shown and not self.session.previewing)

    def _leave_full_screen(self) -> None:
        if self.isFullScreen():
            self.command["full_screen"].trigger()

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _setting_changed(self, key: str) -> None:
        app = QApplication.instance()
        if key == "remember_recent" and not self.settings[key]:
            self.settings.forget_recent()
        if key in ("theme", "text_size") and isinstance(app, QApplication):
            apply_theme(app, self.settings["theme"], self.settings["text_size"])
            self.bars.draw_icons()
            QTimer.singleShot(0, self, self._share_room)

    def _to_pictures(self) -> None:
        """Keys work on the pictures again."""
        if self.pages.currentWidget() is self.views:
            self.views.focus_active()

    # Qt's events ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc outside the panes and docks, in a tool bar or a message."""
        if event.key() == Qt.Key.Key_Escape:
            self._to_pictures()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _local_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        alone = Qt.KeyboardModifier.ControlModifier in event.modifiers()
        self.session.open_paths(_local_paths(event), alone=alone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._share_room)  # once all within has its size

    def _share_room(self) -> None:
        if self.isVisible():
            self.bars.follow_size()
            self.docks.share_room()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Takes back what is asked, ends running work: asks it to stop, waits without freezing, then closes."""
        for dialog in self.findChildren(QDialog):
            dialog.close()
        if not self.body.may_close() or not self.training.may_close():
            event.ignore()
            return
        self.session.close()
        if self.session.jobs.busy:
            self._closing = True
            self.setEnabled(False)
            self.statusBar().showMessage("Ending running work …")
            event.ignore()
            return
        self.training.close()
        self.batch.close()
        self.evaluation.close()
        self.preparing.close()
        self.studies.close()
        self.metrics_link.close()
        self.measuring.close()
        self.views.close_background()
        self.settings["window_geometry"] = _text(self.saveGeometry())
        self.settings["window_state"] = _text(self.saveState(_STATE_VERSION)) if self.docks.by_hand else ""
        self.layouts.keep()
        self.settings.save()
        event.accept()

    def _close_when_asked(self) -> None:
        if self._closing:
            self.close()

    def _restore(self) -> None:
        self._closing = False
        room = self.screen().availableGeometry().size()
        self.resize(room.boundedTo(_LARGEST_AT_FIRST) * _SHARE_OF_SCREEN)
        self.restoreGeometry(_bytes(self.settings["window_geometry"]))
        self.docks.by_hand = self.restoreState(_bytes(self.settings["window_state"]), _STATE_VERSION)


def _local_paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def _text(value: QByteArray) -> str:
    return bytes(value.toBase64().data()).decode("ascii")


def _bytes(value: str) -> QByteArray:
    return QByteArray.fromBase64(value.encode("ascii", "ignore"))
