"""The header of any opened volume beside the pictures. Patient data are hidden until somebody asks, each time anew."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.events import Finished
from ctmri_core.io.header_view import Header
from ctmri_core.volume import Volume
from ctmri_gui.header_browser.model import TYPE, VALUE, HeaderFilter, HeaderModel
from ctmri_gui.jobs import work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.panels.small_parts import label, resize_dialog, set_role
from ctmri_gui.session import Session
from ctmri_gui.viewer.roles import Role

_WIDTHS = (0.25, 0.28)  # of the first columns, as shares of the window's
_SHOWN = "Patient data are shown. Mind who can see this screen."


class HeaderBrowser(QDialog):
    """One tree, for one slice of one pane at a time; follows what lies on the panes."""

    def __init__(self, session: Session, role: Role, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Header")
        resize_dialog(self, 900, 640)
        self._session = session
        self._latest = Latest(session.jobs)
        self.finished.connect(lambda _code: self._latest.drop())  # an answer would come to what is gone
        self.model = HeaderModel()
        self.filtered = HeaderFilter(self.model)
        self._make_parts()
        self._lay_out()
        self._connect()
        self._list_images(role)
        self._ask(number if self._file_per_slice else 0)

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.image = QComboBox()
        self.image.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.slice = QSpinBox()
        self.slice.setRange(1, 1)
        self.slice.setKeyboardTracking(False)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Search by field, name or value (Ctrl+F)")
        self.filter.setAccessibleName("Filter")
        self.filter.setClearButtonEnabled(True)
        self.identifying = QCheckBox("Show &patient data")
        self.identifying.setToolTip("Names, numbers, dates and free text as well, until another scan comes or this is closed")
        self.differing = QCheckBox("Only what &differs from the next slice")
        self.tree = QTreeView()
        self.tree.setAccessibleName("Header")
        self.tree.setModel(self.filtered)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        for column, share in enumerate(_WIDTHS):
            self.tree.setColumnWidth(column, round(share * self.width()))
        self.tree.header().setSectionResizeMode(TYPE, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(VALUE, QHeaderView.ResizeMode.Stretch)
        self.status = label("", "muted")
        buttons = self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton("&Copy value", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setEnabled(False)

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        for words, field in (("&Image", self.image), ("&Slice", self.slice)):
            name = QLabel(words)
            name.setBuddy(field)
            choice.addWidget(name)
            choice.addWidget(field)
            choice.addSpacing(12)
        choice.addStretch(1)
        switches = QHBoxLayout()
        switches.addWidget(self.identifying)
        switches.addSpacing(12)
        switches.addWidget(self.differing)
        switches.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.filter)
        column.addLayout(choice)
        column.addLayout(switches)
        column.addWidget(self.tree, 1)
        column.addWidget(self.status)
        column.addWidget(self._buttons)

    def _connect(self) -> None:
        self.image.activated.connect(lambda _row: self._ask(self.slice.value() - 1 if self._file_per_slice else 0))
        self.slice.valueChanged.connect(lambda value: self._ask(value - 1))
        self.filter.textChanged.connect(self._filter)
        self.identifying.toggled.connect(self._show_identifying)
        self.differing.toggled.connect(self._show_differing)
        self.tree.selectionModel().currentChanged.connect(lambda *_: self._follow_row())
        self.copy.clicked.connect(self._copy)
        self._buttons.rejected.connect(self.reject)
        self._session.volumeChanged.connect(self._volume_changed)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree, self._copy, context=Qt.ShortcutContext.WidgetShortcut)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.filter.setFocus)

    # What is shown ----------------------------------------------------------------------------------------------------

    @property
    def volume(self) -> Volume | None:
        """Whose header is shown."""
        role = self.image.currentData()
        return None if role is None else self._session.volumes[Role(role)]

    @property
    def _file_per_slice(self) -> bool:
        """Else the headers are those of files with several slices each, and of no slice."""
        volume = self.volume
        return volume is not None and len(volume.files) in (0, volume.geometry.shape[0])

    def _list_images(self, wanted: Role) -> None:
        self.image.clear()
        for role, volume in self._session.volumes.items():
            if volume is not None:
                self.image.addItem(f"{role.label}: {volume.label}", role.value)
        self.image.setCurrentIndex(max(self.image.findData(wanted.value), 0))

    def _volume_changed(self, role: Role, _volume: Volume | None) -> None:
        if not self.isVisible():  # closed, and about to be gone
            return
        shown = self.image.currentData()
        self._list_images(Role(shown) if shown is not None else role)
        if self.image.count() == 0:
            self.close()
        elif self.image.currentData() != shown or role.value == shown:
            self.identifying.setChecked(False)  # it was asked for another scan, perhaps of another patient
            self._ask(0)

    def _ask(self, number: int) -> None:
        """Reads the header of slice `number`, from 0, in the background."""
        volume = self.volume
        if volume is None:
            return
        self._latest.ask("Read header", partial(work.read_header, volume, number), self._take, ended=self._ended, listed=False)

    def _take(self, answer: tuple[Header, frozenset[int]]) -> None:
        header, differing = answer
        self.slice.blockSignals(True)
        self.slice.setRange(1, header.count)
        self.slice.setValue(header.number + 1)
        self.slice.setSuffix(f" of {header.count}")
        self.slice.setPrefix("" if self._file_per_slice else "file ")
        self.slice.setSpecialValueText("all" if self._one_for_all(header) else "")
        self.slice.blockSignals(False)
        self.slice.setEnabled(header.count > 1)
        self.differing.setEnabled(header.count > 1)
        if header.count == 1:
            self.differing.setChecked(False)
        place = self._place()
        self.model.set_header(header.entries, differing)
        self._show_rows(place)

    def _one_for_all(self, header: Header) -> bool:
        """Whether all slices have one header in common."""
        return header.count == 1 and self.volume is not None and self.volume.geometry.shape[0] > 1

    def _ended(self, end: Finished) -> None:
        if end.reason == "failed":
            self.model.set_header(())
            self._say(end.message, "error")

    def _show_identifying(self, shown: bool) -> None:
        place = self._place()
        self.model.set_identifying(shown)
        self._show_rows(place)

    def _show_differing(self, only: bool) -> None:
        self.filtered.set_only_differing(only)
        self._show_rows(self._place())

    def _filter(self, text: str) -> None:
        self.filtered.set_words(text)
        self._show_rows(self._place())

    def _place(self) -> str:
        """The field that is looked at, to be found again in another header."""
        index = self.filtered.mapToSource(self.tree.currentIndex())
        return self.model.texts(index)[0] if index.isValid() else ""

    def _show_rows(self, place: str) -> None:
        if self.filter.text() or self.differing.isChecked() or len(self.model.entries) < 400:
            self.tree.expandAll()
        for row in range(self.filtered.rowCount()):
            index = self.filtered.index(row, 0)
            if place and self.model.texts(self.filtered.mapToSource(index))[0] == place:
                self.tree.setCurrentIndex(index)
                break
        self._follow_row()
        if self.identifying.isChecked():
            self._say(_SHOWN, "warning")
        else:
            hidden = self.model.hidden_count
            what = f"; {hidden} values are hidden, for they may be patient data" if hidden else ""
            self._say(f"{len(self.model.entries)} fields{what}.", "muted")

    def _say(self, text: str, role: str) -> None:
        self.status.setText(text)
        set_role(self.status, role)

    # Copying ----------------------------------------------------------------------------------------------------------

    def _chosen_value(self) -> str:
        index = self.filtered.mapToSource(self.tree.currentIndex())
        return (self.model.value(index) or "") if index.isValid() else ""

    def _follow_row(self) -> None:
        self.copy.setEnabled(bool(self._chosen_value()))

    def _copy(self) -> None:
        """The value as it is shown; nothing where it is hidden."""
        value = self._chosen_value()
        if value:
            QGuiApplication.clipboard().setText(value)
