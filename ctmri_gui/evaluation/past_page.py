"""The evaluations before: opened again from their folders, without models or data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctmri_core.evaluation.results import EVALUATION
from ctmri_gui import file_choice
from ctmri_gui.evaluation.evaluation_work import Listed
from ctmri_gui.evaluation.evaluations import Evaluations
from ctmri_gui.panels.earlier_folders import EarlierFolder, EarlierFolders, EarlierWords
from ctmri_gui.settings import Settings

_WORDS = EarlierWords(
    "Evaluations before", ("Made", "Models", "Data", "Cases", "Mean"),
    "There is no evaluation yet. Those made in the window, and folders that were chosen, are listed here.",
    "Shows the selected evaluation", "Open another &folder…", "An evaluation that lies elsewhere, as of the command line",
)  # fmt: skip


class PastPage(EarlierFolders):
    """Lists what `evaluations` finds."""

    def __init__(self, evaluations: Evaluations, settings: Settings) -> None:
        super().__init__(_WORDS)
        self._evaluations, self._settings = evaluations, settings
        self.otherWanted.connect(self._ask)
        evaluations.listed.connect(self.take)
        self._follow()

    def take(self, listed: Sequence[Listed]) -> None:
        self.fill([EarlierFolder(each.folder, _cells(each), each.problem) for each in listed])

    def choose_folder(self, folder: Path) -> None:
        """Opens the evaluation in `folder`, or lists those that lie in it."""
        if (folder / EVALUATION).is_file():
            self._evaluations.add_place(folder.parent)
            self.openWanted.emit(folder)
        else:
            self._evaluations.add_place(folder)
        self._evaluations.refresh()

    def _ask(self) -> None:
        folder = file_choice.existing_folder(self, "Folder of an evaluation", self._settings["last_folder"])
        if folder is not None:
            self.choose_folder(folder)


def _cells(evaluation: Listed) -> tuple[str, str, str, str, str]:
    made = f"{evaluation.made.astimezone():%Y-%m-%d %H:%M}" if evaluation.made is not None else ""
    what = evaluation.what or evaluation.problem
    return made, ", ".join(evaluation.models), what, str(evaluation.cases or ""), evaluation.score
