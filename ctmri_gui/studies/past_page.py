"""The studies before: opened again from their folders, rehearsals among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from ctmri_core.studies.report.wording import DESIGNS
from ctmri_gui.panels.earlier_folders import EarlierFolder, EarlierFolders, EarlierWords
from ctmri_gui.studies.study_work import Listed

_LONGEST = 60
"""Letters of a title: with more, nothing beside it would be in sight."""
_WORDS = EarlierWords(
    "Studies before", ("Title", "Design", "Stage", "Open since"),
    "There is no study yet. Those made in the window, and folders that were opened, are listed here.",
    "Shows the selected study", "Open a&nother folder…", "A study that lies elsewhere, as of the command line",
)  # fmt: skip


class PastPage(EarlierFolders):
    """`deleteWanted`: a folder, of a rehearsal."""

    deleteWanted = Signal(object)

    def __init__(self) -> None:
        self.delete = QPushButton("&Delete the rehearsal…")
        self._rehearsals: frozenset[Path] = frozenset()
        super().__init__(_WORDS, (self.delete,))
        self.delete.clicked.connect(lambda _on=False: self.deleteWanted.emit(self.current))
        self._follow()

    def take(self, listed: Sequence[Listed]) -> None:
        self._rehearsals = frozenset(each.folder for each in listed if each.rehearsal)
        self.fill([EarlierFolder(each.folder, _cells(each), each.problem) for each in listed])

    def _follow(self) -> None:
        super()._follow()
        self.delete.setVisible(self.current in self._rehearsals)


def _cells(study: Listed) -> tuple[str, str, str, str]:
    title = study.title if len(study.title) <= _LONGEST else f"{study.title[: _LONGEST - 2].rstrip()} …"
    title = f"{title} (rehearsal)" if study.rehearsal and title != "Rehearsal" else title
    return title, study.problem or DESIGNS[study.design], study.stage, study.opened[:16].replace("T", " ")
