"""What the bars of the window say of what the session does: failures, warnings, and where things were saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from ctmri_core.volume import Volume
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.private_paths import identity_of, tells_of_patient
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.translating.made import Made

_KEPT_OUT = "Not put among the recent scans: the path may tell who the patient is. Others like it will not be, either."
_STOPPED = "Translating was stopped."


class Notices(QObject):
    """Follows the session as long as the window lives."""

    def __init__(self, session: Session, settings: Settings, bars: MessageBars, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._bars = session, bars
        self._stopped = _STOPPED
        session.failed.connect(lambda text: bars.show_message(text, Kind.ERROR, passing=True))
        session.noted.connect(lambda text: bars.show_message(text, Kind.WARNING, passing=True))
        session.done.connect(lambda text: bars.show_message(text, Kind.DONE))
        session.saved.connect(self._say_saved)
        session.translationStopped.connect(self._offer_part)
        session.translationChanged.connect(lambda state: None if state is None else self._end_offer())
        session.somethingElse.connect(bars.clear_passing)
        settings.keptOut.connect(lambda: bars.show_message(_KEPT_OUT, Kind.INFO, passing=True))

    def _offer_part(self, part: Made, source: Volume) -> None:
        """Nothing changes unless it is wanted."""
        case = self._session.cases.current
        told = [finding.message for finding in part.volume.findings if finding.kind == "unfinished"]
        self._stopped = next(iter(told), _STOPPED)

        def show() -> None:
            self._end_offer()
            case.take_made(part, source)

        self._bars.show_message(self._stopped, Kind.INFO, passing=True, stays=True, offers=[("Show what is done", show)])

    def _end_offer(self) -> None:
        self._bars.close_message(self._stopped)

    def _say_saved(self, path: Path) -> None:
        """Names the folder unless that tells of a patient; the button leads there in any case."""
        text = f"Saved {path.name} in {self._shown(path.parent)}."
        self._bars.show_message(text, Kind.DONE, offers=[("Show folder", partial(open_folder, path.parent))])

    def _shown(self, folder: Path) -> str:
        patients = [volume.dicom for volume in self._session.open_volumes if volume.dicom is not None]
        if tells_of_patient(folder, map(identity_of, patients)):
            return "the folder that you chose"
        home = Path.home()
        return f"~/{folder.relative_to(home).as_posix()}".removesuffix("/.") if folder.is_relative_to(home) else str(folder)


def open_folder(folder: Path) -> None:
    """In the file manager of the desktop."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
