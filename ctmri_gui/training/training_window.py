"""The training window: a new run, the run that goes on, and all runs. It stands beside the main window."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QSizePolicy, QStackedWidget, QToolButton, QVBoxLayout

from ctmri_core.events import Finished
from ctmri_core.training.run_plan import RunPlan
from ctmri_gui.actions import with_keys
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.panels.side_window import SideWindow
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.theme import icon
from ctmri_gui.training import training_work
from ctmri_gui.training.history.history_page import HistoryPage
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.monitor.monitor import Monitor
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.new_run import DATA, SETTINGS, NewRun
from ctmri_gui.training.new_run.presets import FROM_MODEL, gentler
from ctmri_gui.training.trainings import Trainings
from ctmri_gui.viewer.palette import scaled

TITLE = "Training – CT-MRI Studio"
NEW, CURRENT, RUNS = range(3)
_PAGES = (("New run", "add", "Put a run together and start it"), ("Current run", "translate", "The run that goes on"),
          ("Runs", "train", "All runs: look at them, compare, resume, use their models"))  # fmt: skip
_AT_FIRST, _SHARE_OF_SCREEN = QSize(1500, 950), 0.9
_BESIDE_LETTERS = 110  # in a narrower window the ways to the pages stand above them


class TrainingWindow(SideWindow):
    """`modelWanted`: the person chose a model of a run, to be used in the main window."""

    modelWanted = Signal()

    def __init__(self, session: Session, settings: Settings, trainings: Trainings) -> None:
        super().__init__(TITLE)
        self._session, self._settings, self._trainings = session, settings, trainings
        self.setMinimumSize(640, 480)
        self._fitting = Latest(session.jobs)
        self.draft = Draft(settings, self)
        self.messages = MessageBars()
        self.stack = QStackedWidget()
        self.new_run = NewRun(self.draft, settings, session.jobs, trainings)
        self.monitor = Monitor(session.jobs)
        self.history = HistoryPage(trainings, session.jobs)
        for page in (self.new_run, self.monitor, self.history):
            self.stack.addWidget(page)
        self._lay_out()
        self._connect()
        self._restore()
        trainings.refresh()
        if trainings.live is not None:
            self._begun(trainings.live)
        self.go(NEW)

    # Building ---------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._ways = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._ways.setSpacing(2)
        self._group = QButtonGroup(self)
        for number, (text, _, tip) in enumerate(_PAGES):
            way = QToolButton()
            way.setText(text)
            keys = f"Ctrl+{number + 1}"  # letters with Alt are left to what stands in the pages
            way.setToolTip(with_keys(tip, (keys,)))
            QShortcut(QKeySequence(keys), self).activated.connect(way.click)
            way.setCheckable(True)
            way.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            way.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(way, number)
            self._ways.addWidget(way)
        self._ways.addStretch(1)
        self._group.idClicked.connect(self.go)
        pages = QVBoxLayout()
        pages.setSpacing(0)
        pages.addWidget(self.messages)
        pages.addWidget(self.stack, 1)
        self._outer = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._outer.setContentsMargins(6, 6, 6, 6)
        self._outer.addLayout(self._ways)
        self._outer.addLayout(pages, 1)
        self._arrange()

    def _connect(self) -> None:
        trainings, history, monitor = self._trainings, self.history, self.monitor
        trainings.begun.connect(self._begun)
        trainings.ended.connect(self._ended)
        trainings.failed.connect(lambda text: self.messages.show_message(text, Kind.ERROR))
        self._session.library.added.connect(self._say_kept)
        history.said.connect(self.messages.show_message)
        history.newWanted.connect(partial(self.go, NEW))
        history.resumeWanted.connect(self._resume)
        history.templateWanted.connect(self._take_template)
        history.useWanted.connect(self._use)
        history.keepWanted.connect(self._session.library.add)
        history.smallerWanted.connect(self._fit_memory)
        monitor.newWanted.connect(partial(self.go, NEW))
        monitor.resumeWanted.connect(self._resume)
        monitor.smallerWanted.connect(self._fit_memory)
        monitor.verdictWanted.connect(self.show_verdict)
        monitor.discardWanted.connect(self._discard_stopped)

    # Pages ------------------------------------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        return self._group.checkedId()

    def go(self, page: int) -> None:
        """Shows `NEW`, `CURRENT` or `RUNS`."""
        self._group.button(page).setChecked(True)
        self.stack.setCurrentIndex(page)
        if page == RUNS:
            self._trainings.refresh()

    def show_current(self) -> None:
        self.go(CURRENT)

    def take_data(self, source: str) -> None:
        """A new run that learns from `source`."""
        self.go(NEW)
        self.new_run.take_data(source)

    def show_verdict(self, folder: Path) -> None:
        """The verdict on the run in `folder`; made where there is none."""
        self.go(RUNS)
        self.history.show_verdict(folder)

    # Runs -------------------------------------------------------------------------------------------------------------

    def _begun(self, run: LiveRun) -> None:
        self._settings.save()  # what was put together outlives a crash too
        self.monitor.follow(run)
        self.go(CURRENT)

    def _ended(self, run: LiveRun, end: Finished) -> None:
        """A run that went well is judged at once, beside whatever the person does meanwhile."""
        if end.reason != "completed":
            return
        self.history.verdict.show_run(run.folder)
        if self.page == CURRENT and self.isVisible():
            self.show_verdict_page()
        else:
            offer = ("See the verdict", self.show_verdict_page)
            self.messages.show_message(f"{run.title}: done.", Kind.WARNING, offers=[offer])

    def show_verdict_page(self) -> None:
        """The verdict that was asked for last."""
        self.go(RUNS)
        self.history.show_verdict_page()

    def _resume(self, folder: Path) -> None:
        self._trainings.resume(folder)

    def _discard_stopped(self, folder: Path) -> None:
        """A run that was to be discarded has stopped; the person has been asked."""
        self._trainings.delete([folder])
        self.monitor.clear()
        self.go(RUNS)
        self.history.show_list()

    def _use(self, model: Path) -> None:
        """Chooses `model` for the next translation."""
        self._session.library.refresh(model)
        self.messages.show_message("The model is chosen in the main window.", Kind.DONE)
        self.modelWanted.emit()

    def _say_kept(self, name: str) -> None:
        self.messages.show_message(f"{name} is in your models now; it stays there when the run is deleted.", Kind.DONE)

    # New runs from others ---------------------------------------------------------------------------------------------

    def _take_template(self, plan: RunPlan, model: Path | None) -> None:
        """Fills the draft with the settings of `plan`; `model`: what the new run is to begin with."""
        self.draft.take(plan)
        if model is not None:
            self.draft.change("settings", {**self.draft.values("settings"), FROM_MODEL: str(model)})
            self.draft.change("config", {**self.draft.values("config"), **gentler(plan)})
        self.go(NEW)
        self.new_run.go(DATA if self.draft.data is None else SETTINGS)
        self.messages.show_message(_FILLED if model is None else _TUNED, Kind.DONE)

    def _fit_memory(self, folder: Path) -> None:
        """Looks for smaller settings with which the run in `folder` fits the memory, and fills them in."""
        self.messages.show_message(_LOOKING, stays=True, offers=[("Cancel", self._stop_fitting)])
        work = partial(training_work.fit_memory, folder)
        self._fitting.ask("Look for smaller settings", work, self._take_smaller, ended=self._not_fitted)

    def _take_smaller(self, plans: tuple[RunPlan, RunPlan]) -> None:
        if self.page != NEW:
            self._fill_in(plans)
            return
        found = f"Smaller settings were found: {_changes(*plans)}."  # by now another run is put together there

        def fill_in() -> None:
            self.messages.close_message(found)
            self._fill_in(plans)

        self.messages.show_message(found, Kind.WARNING, offers=[("Fill them in", fill_in)])

    def _fill_in(self, plans: tuple[RunPlan, RunPlan]) -> None:
        self.draft.take(plans[1])
        self.go(NEW)
        self.new_run.go(DATA if self.draft.data is None else SETTINGS)
        changed = _changes(*plans)
        self.messages.show_message(f"Filled in, with smaller settings: {changed}." if changed else _NOTHING_SMALLER, Kind.WARNING)

    def _stop_fitting(self) -> None:
        self._fitting.drop()
        self.messages.close_message(_LOOKING)

    def _not_fitted(self, end: Finished) -> None:
        self.messages.close_message(_LOOKING)
        if end.reason in ("failed", "crashed"):
            self.messages.show_message(end.message, Kind.ERROR)

    # Qt's events ------------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder is where the data of a new run come from."""
        folder = _dropped(event)
        if folder is not None:
            event.acceptProposedAction()
            self.draft.choose(source=str(folder), data=None)
            self.go(NEW)
            self.new_run.go(DATA)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and hasattr(self, "_outer"):
            self._arrange()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings["training_geometry"] = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.save()
        event.accept()

    def close_for_good(self) -> None:
        """With the program."""
        self._fitting.drop()
        if self.isVisible():
            self.close()
        self.deleteLater()

    def _restore(self) -> None:
        self.resize(self.screen().availableGeometry().size().boundedTo(_AT_FIRST) * _SHARE_OF_SCREEN)
        self.restoreGeometry(QByteArray.fromBase64(self._settings["training_geometry"].encode("ascii")))

    def _arrange(self) -> None:
        """The ways to the pages beside them, or above in a narrow window; icons as large as the text asks for."""
        beside = self.width() >= _BESIDE_LETTERS * self.fontMetrics().averageCharWidth()
        directions = QBoxLayout.Direction
        self._outer.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        self._ways.setDirection(directions.TopToBottom if beside else directions.LeftToRight)
        side = scaled(20)
        style = Qt.ToolButtonStyle.ToolButtonTextUnderIcon if beside else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        for number, (_, sign, _) in enumerate(_PAGES):
            way: Any = self._group.button(number)
            way.setIcon(icon(sign))
            way.setIconSize(QSize(side, side))
            way.setToolButtonStyle(style)


_FILLED = "The settings of the run are filled in."
_TUNED = "The settings of the run are filled in; the new one begins with its model, and takes steps a tenth as large."
_LOOKING = "Looking for smaller settings by trying some steps …"
_NOTHING_SMALLER = "The settings are filled in. There seems to be memory enough for them now."


def _changes(before: RunPlan, after: RunPlan) -> str:
    """`crop 128, batch size 2`."""
    pairs = ((before.settings, after.settings), (before.config, after.config))
    told = [
        f"{name.replace('_', ' ')} {value}"
        for old, new in pairs
        for name, value in new.model_dump().items()
        if value != getattr(old, name)
    ]
    return ", ".join(told)


def _dropped(event: QDropEvent) -> Path | None:
    """The first folder, or the folder of the first file."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path if path.is_dir() else path.parent for path in paths), None)
