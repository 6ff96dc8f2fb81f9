"""What the window asks the user: which file, which series, where to save; and the dialogs that explain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog, QWidget

from ctmri_core.io.series import TILT
from ctmri_gui import file_choice
from ctmri_gui.about import AboutDialog
from ctmri_gui.cases.room import Shortage
from ctmri_gui.cases.room_dialog import RoomDialog
from ctmri_gui.changes import Changes
from ctmri_gui.jobs import work
from ctmri_gui.models.importing import SUFFIXES
from ctmri_gui.openings import Opening
from ctmri_gui.origins import SPACING_KINDS
from ctmri_gui.panels.asking import ask
from ctmri_gui.save_dialog import SaveDialog, SaveFormat
from ctmri_gui.session import MODEL_SUFFIX, Session
from ctmri_gui.settings import Settings
from ctmri_gui.settings_dialog import SettingsDialog
from ctmri_gui.shortcuts.bindings import Bindings
from ctmri_gui.shortcuts.editor import KeysEditor
from ctmri_gui.shortcuts.sheet import KeysSheet
from ctmri_gui.spacing_dialog import SpacingDialog
from ctmri_gui.translating.made import Beside
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.exchange.found_model import FoundModel
    from ctmri_core.geometry import Triple
    from ctmri_core.io.series import Series
    from ctmri_core.volume import Volume
    from ctmri_gui.translation import Doubt


class Questions(QObject):
    """Opens dialogs over `window` and hands the answers to the session. A dialog ends with its answer."""

    def __init__(
        self, session: Session, settings: Settings, views: LinkedViews, bindings: Bindings, window: QWidget
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._session, self._settings, self._views, self._window = session, settings, views, window
        self._bindings = bindings
        session.importing.cardNeeded.connect(self.which_card)

    def which_file(self, *, alone: bool = False) -> None:
        title = "Open in new case" if alone else "Open scan"
        chosen = file_choice.existing_files(self._window, title, self._settings["last_folder"])
        self._session.open_paths(chosen, alone=alone)

    def which_folder(self) -> None:
        chosen = file_choice.existing_folder(self._window, "Open folder", self._settings["last_folder"])
        if chosen is not None:
            self._session.open_paths([chosen])

    def which_model(self) -> None:
        pattern = f"Model files (*{' *'.join((MODEL_SUFFIX, *SUFFIXES))})"
        self._session.open_paths(file_choice.existing_files(self._window, "Add model", "", pattern)[:1])

    def which_card(self, found: FoundModel, known: dict[str, Any]) -> None:
        """Before another program's model is added, which does not say what it is for."""
        from ctmri_gui.models.import_dialog import ImportDialog

        dialog = ImportDialog(found, known, self._window)
        dialog.accepted.connect(lambda: self._session.importing.take(found, dialog.table))
        _open(dialog)

    def which_series(self, opening: Opening, series: tuple[Series, ...]) -> None:
        from ctmri_gui.series_picker.dialog import SeriesDialog

        dialog = SeriesDialog(series, self._session.jobs, self._window, directions=self._session.library.directions)
        dialog.finished.connect(lambda code: self._session.openings.choose(opening, dialog.chosen if code else ()))
        _open(dialog)

    def which_spacing(self, opening: Opening, series: Series) -> None:
        """Before pictures are opened that do not say how large they are."""
        openings = self._session.openings
        dialog = SpacingDialog(series, openings.spacings.last, self._window)
        dialog.accepted.connect(lambda: openings.tell_spacing(opening, series, dialog.spacing))
        dialog.rejected.connect(lambda: openings.choose(opening, ()))
        _open(dialog)

    def which_cases_to_close(self, opening: Opening, lack: Shortage) -> None:
        """Before a scan is loaded for which memory is short."""
        session = self._session
        dialog = RoomDialog(lack, [case for case in session.cases.all if not case.empty], self._window)
        dialog.accepted.connect(lambda: session.make_room(opening, dialog.chosen))
        dialog.rejected.connect(lambda: session.openings.choose(opening, ()))
        _open(dialog)

    def mend(self, role: Role, kind: str) -> None:
        """Does what the banner of a pane offers beside a finding of this kind."""
        volume = self._session.volumes[role]
        series = self._session.origins.series_of(volume)
        if volume is None or series is None:
            return
        changes = self._session.changes  # of the case that is shown now, should another be when it is answered
        if kind == TILT:
            changes.correct_tilt(role, volume)
        elif kind in SPACING_KINDS:
            start = series.given_spacing or self._session.openings.spacings.last
            dialog = SpacingDialog(series, start, self._window, may_be_unknown=False)
            dialog.accepted.connect(lambda: self._set_spacing(changes, role, volume, dialog.spacing))
            _open(dialog)

    @staticmethod
    def _set_spacing(changes: Changes, role: Role, volume: Volume, spacing: Triple | None) -> None:
        if spacing is not None:
            changes.set_spacing(role, volume, spacing)

    def translate_doubtful(self, doubt: Doubt) -> None:
        """Whether a scan is translated that is unlike what the model was made for; nobody is asked who did not ask for it."""
        if doubt.asked and doubt.entry.card is not None:
            name = doubt.entry.card.name
            question = f"{name} is not for commercial use." if doubt.of_terms else f"{name} may not fit this scan."
            ask(
                self._window, "Translate", question, doubt.words, name="doubtful_translation", harm=False,
                yes="Agree and translate" if doubt.of_terms else "Translate all the same", no="Do not translate",
                then=lambda: self._session.translate_all_the_same(doubt), otherwise=lambda: self._session.leave_out(doubt),
            )  # fmt: skip

    def where_to_save(self, chosen: SaveFormat, beside: Sequence[Beside] = (), first: str = "") -> None:
        """Saves what the panes show now, even should they show something else when the dialog is answered; or what else came of
        the translation, `first` of that when it is asked for."""
        session = self._session
        volumes = {role: volume for role, volume in session.volumes.items() if volume is not None}
        if not volumes:
            return
        number, made_from = self._settings.next_number(), {role: session.made_from(role) for role in volumes}
        active = self._views.active
        role = active if active.is_synthetic and active in volumes else Role.SYNTHETIC if Role.SYNTHETIC in volumes else active
        dialog = SaveDialog(
            volumes, number, self._start_folder, chosen, self._window, role=role, sources=session.open_files, beside=beside,
            first=first,
        )  # fmt: skip

        def save() -> None:
            source = made_from[dialog.role]
            how = {"deidentify": dialog.deidentify, "burn_in": dialog.burn_in}
            session.save(dialog.volume, dialog.target, source, slices=dialog.chosen.slices, beside=dialog.with_it, **how)

        dialog.accepted.connect(save)
        _open(dialog)

    def show_header(self) -> None:
        """Beside the pictures, which can be gone through meanwhile; one window is enough."""
        from ctmri_gui.header_browser.dialog import HeaderBrowser

        for browser in self._window.findChildren(HeaderBrowser):
            browser.close()
        role = self._views.active
        browser = HeaderBrowser(self._session, role, self._views.slice if role is Role.SOURCE else 0, self._window)
        browser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        browser.show()

    def show_settings(self) -> None:
        _open(SettingsDialog(self._settings, self._window))

    def show_keys(self) -> None:
        """The sheet, and from there the dialog that changes keys."""
        sheet = KeysSheet(self._bindings, self._window)
        sheet.change.clicked.connect(lambda: _open(KeysEditor(self._bindings, sheet)))
        _open(sheet)

    def change_keys(self) -> None:
        _open(KeysEditor(self._bindings, self._window))

    def show_about(self) -> None:
        """The device is asked for only where that costs nothing: torch takes seconds to load."""
        dialog = AboutDialog(self._window)
        if work.engine_loaded():
            self._session.jobs.run("Ask for the device", work.device_facts, on_result=dialog.show_device, listed=False)
        _open(dialog)

    @property
    def _start_folder(self) -> Path:
        return Path(self._settings["last_folder"] or Path.home())


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
