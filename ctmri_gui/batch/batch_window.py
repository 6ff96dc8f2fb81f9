"""The window in which a folder of scans is translated into a folder. It stands beside the main window."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from ctmri_core.events import CaseTold, Finished
from ctmri_gui.batch import batch_work
from ctmri_gui.batch.asked_dialog import AskedDialog
from ctmri_gui.batch.batch import Batch
from ctmri_gui.batch.case_table import NAME, STATE, TIME, WHY, BarUnderState, CaseTable, state_words
from ctmri_gui.batch.order_form import OrderForm
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.panels.row_table import row_table
from ctmri_gui.panels.side_window import SideWindow
from ctmri_gui.panels.small_parts import button, label
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.theme import icon
from ctmri_gui.viewer.palette import scaled

TITLE = "Translate a folder – CT-MRI Studio"
_WIDTH, _HEIGHT = 940, 740
_NOTHING = (
    "Drop folders and scans here. Each scan is translated with the model that fits it; what is odd is put aside and asked about."
)


class BatchWindow(SideWindow):
    """`resultOpened`: what was made of a scan is about to be shown in the main window."""

    resultOpened = Signal()

    def __init__(self, session: Session, settings: Settings, batch: Batch) -> None:
        super().__init__(TITLE)
        self._session, self.batch = session, batch
        self.messages = MessageBars()
        self.order = OrderForm(session.library, settings)
        self.table = CaseTable(self)
        self.view = self._make_view()
        self.summary = label(_NOTHING, "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of all scans")
        self.start, self.stop = self._action("&Start", "play"), self._action("S&top", "stop")
        self.open, self.answer = self._action("Open resu&lt", "open_file"), self._action("&Why?", "warning")
        self._lay_out()
        self._connect()
        self._follow()
        self.resize_within_screen(_WIDTH, _HEIGHT)

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_view(self) -> QTableView:
        view = row_table(self.table, "Scans and how they stand", sorts=False)
        view.setItemDelegateForColumn(STATE, BarUnderState(view))
        header = view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)  # rows change while it runs
        for column, width in ((NAME, 260), (STATE, 150), (TIME, 70)):
            view.setColumnWidth(column, scaled(width))
        header.setSectionResizeMode(WHY, QHeaderView.ResizeMode.Stretch)
        return view

    def _action(self, text: str, sign: str) -> QAction:
        action = QAction(icon(sign), text, self)
        self.addAction(action)
        return action

    def _lay_out(self) -> None:
        self.start_button = _button(self.start, primary=True)
        foot = QHBoxLayout()
        for made in (self.start_button, _button(self.stop)):
            foot.addWidget(made)
        foot.addStretch(1)
        for action in (self.answer, self.open):
            foot.addWidget(_button(action))
        inner = QVBoxLayout()
        inner.setContentsMargins(16, 12, 16, 12)
        inner.setSpacing(10)
        inner.addWidget(self.order)
        inner.addWidget(self.view, 1)
        inner.addWidget(self.summary)
        inner.addWidget(self.bar)
        inner.addLayout(foot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addLayout(inner, 1)

    def _connect(self) -> None:
        batch = self.batch
        batch.listed.connect(self._list)
        batch.told.connect(self._hear)
        batch.changed.connect(self._follow)
        batch.ended.connect(self._ended)
        self.order.changed.connect(self._order_changed)
        self.start.triggered.connect(self.begin)
        self.stop.triggered.connect(batch.stop)
        self.open.triggered.connect(self.open_result)
        self.answer.triggered.connect(self.ask)
        self.view.doubleClicked.connect(self._act_on)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._follow())

    # What a person does -----------------------------------------------------------------------------------------------

    @property
    def selected(self) -> CaseTold | None:
        index = self.view.currentIndex()
        return index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None

    def begin(self) -> None:
        """Starts, or goes on: what is done is passed over."""
        wanted = self.order.wanted()
        if wanted is None:
            self.messages.show_message(self.order.problem, Kind.WARNING)
            return
        self.messages.clear()
        self.table.clear()
        self.batch.start(wanted)

    def open_result(self) -> None:
        """Shows the selected scan and what was made of it in the viewer, in a case of their own."""
        case, wanted = self.selected, self.batch.wanted
        if case is not None and wanted is not None and case.output:
            self._session.open_paths(batch_work.scan_and_result(wanted, case), alone=True)
            self.resultOpened.emit()

    def ask(self) -> None:
        """Says why the selected scan was put aside, and translates it all the same where the person wants it."""
        case = self.selected
        if case is None or case.status != "asked about":
            return
        dialog = AskedDialog(case, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.batch.answer(case, dialog.told))
        dialog.open()

    def _act_on(self, _index: QModelIndex) -> None:
        (self.answer if self.answer.isEnabled() else self.open).trigger()

    def _open_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.open, self.answer])
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _order_changed(self) -> None:
        wanted = self.order.wanted()
        if wanted is not None and self.batch.holds_results(wanted.output):
            self.batch.read(wanted)
        else:
            self.table.clear()
        self._follow()

    # What is heard ----------------------------------------------------------------------------------------------------

    def _list(self, cases: tuple[CaseTold, ...]) -> None:
        if not self.batch.running:
            self.table.take(cases)
            self.table.end()
            self._follow()

    def _hear(self, told: CaseTold) -> None:
        self.table.hear(told)
        self._follow()

    def _ended(self, end: Finished) -> None:
        if not self.batch.busy:
            self.table.end()
        if end.reason in ("failed", "crashed"):
            self.messages.show_message(end.message, Kind.ERROR)
        self._follow()

    def _follow(self) -> None:
        """What can be pressed now, and how far all of it is."""
        running, case = self.batch.running, self.selected
        output = self.order.output
        resumes = output is not None and self.batch.holds_results(output)
        self.start.setText("Re&sume" if resumes else "&Start")
        self.start.setToolTip(self.order.problem or "Passes over what is done already (Ctrl+Return)")
        self.start.setEnabled(not running and not self.order.problem)
        self.stop.setEnabled(self.batch.busy)
        self.open.setEnabled(case is not None and bool(case.output))
        self.answer.setEnabled(case is not None and case.status == "asked about")
        self.order.lock(running)
        state = self.batch.state
        fraction = state.fraction if state is not None and running else None
        self.bar.setVisible(running)
        self.bar.setRange(0, 1000 if fraction is not None else 0)
        self.bar.setValue(round((fraction or 0.0) * 1000))
        self.summary.setText(self._words(state.text if state is not None and running else ""))

    def _words(self, running: str) -> str:
        counts = Counter(case.status for case in self.table.cases)
        told = ", ".join(f"{count} {state_words(status)}" for status, count in counts.items())
        return " · ".join(part for part in (running, told) if part) or _NOTHING

    # Qt's events ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.start.trigger()
            elif self.view.hasFocus() and self.view.currentIndex().isValid():
                self._act_on(self.view.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) and not self.batch.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.order.add(_dropped(event))


def _dropped(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def _button(action: QAction, *, primary: bool = False) -> QPushButton:
    """With the letter after & of its action."""
    made = button(action, primary=primary)

    def follow() -> None:
        made.setText(action.text())

    action.changed.connect(follow)
    follow()
    return made
