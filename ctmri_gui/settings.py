"""What the program remembers between starts: one table, one private file."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import platformdirs
from PySide6.QtCore import QObject, Signal

from ctmri_core.errors import WriteFailed
from ctmri_core.files import write_bytes
from ctmri_core.volume import DicomSource
from ctmri_gui.private_paths import identity_of, tells_of_patient
from ctmri_gui.recent import Recent
from ctmri_gui.viewer.compare.colour_maps import MAPS

_log = logging.getLogger(__name__)
_KEPT_RECENT = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set. `default` gives its type; without a `label` it is remembered but not offered in a form.
    `words`: what a person reads for each of `choices`, or in the place of a number's lowest limit; `group`: the heading it stands
    under; `dock`: offered beside what it is for, and not in the form of all."""

    key: str
    default: bool | int | str | tuple[str, ...]
    label: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    limits: tuple[int, int] | None = None
    words: tuple[str, ...] = ()
    group: str = "General"
    dock: bool = False

    def accepts(self, value: object) -> bool:
        """Whether `value` (as JSON gives it) may stand here."""
        if isinstance(self.default, tuple):
            return isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)
        if type(value) is not type(self.default) or (self.choices and value not in self.choices):
            return False
        return self.limits is None or (isinstance(value, int) and self.limits[0] <= value <= self.limits[1])


_OPTIONS = "Translation"
TRANSLATION_OPTIONS = (
    Setting(
        "translation_planes", "model", "Planes",
        "Three planes are fused: steadier between slices, and three times the work.",
        ("model", "axial", "mean", "median"),
        words=("As the model says", "Axial slices", "Three planes, mean", "Three planes, median"), group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_doubt", "none", "Uncertainty",
        "A map of how far several answers of the model differ, voxel by voxel; that is not how far they are wrong.",
        ("none", "auto", "mirrored", "planes", "dropout", "latent"),
        words=(
            "Not asked for", "By what tells most", "Mirrored and shifted slices", "Three planes compared", "Dropout left on",
            "Samples of the latent",
        ),
        group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_samples", 8, "Answers", "So many answers are compared; each takes as long as the picture alone.",
        limits=(2, 64), group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_draws", 0, "Draws kept", "So many of the answers are kept whole, to be gone through beside the picture.",
        limits=(0, 16), words=("None",), group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_cycle", False, "Translate back",
        "Translates the result back with a model of the other direction and shows how far it is from the scan.",
        group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_precision", "auto", "Precision", "Short numbers are faster on some machines; automatic measures it.",
        ("auto", "float32", "bfloat16", "float16"), words=("Automatic", "float32", "bfloat16", "float16"),
        group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_batch", 0, "Slices at a time", "Automatic takes what the free memory allows.", limits=(0, 64),
        words=("Automatic",), group=_OPTIONS, dock=True,
    ),
    Setting(
        "translation_patch", 0, "Patches (px)",
        "Edge of the squares in which slices are translated and blended. Automatic uses them only where memory is short.",
        limits=(0, 2048), words=("Automatic",), group=_OPTIONS, dock=True,
    ),
)
"""What is set in the dock of translation, in that order."""

_TABLE = (
    Setting(
        "theme", "dark", "Colours", "Dark suits a reading room.", ("dark", "light"), words=("Dark", "Light"), group="Appearance"
    ),
    Setting("text_size", 13, "Text size (px)", "Text, icons and dialogs grow with it.", limits=(12, 24), group="Appearance"),
    Setting(
        "difference_colours", "white", "Colours of differences", "Both suit colour-blind eyes; dark is easier on them at night.",
        tuple(MAPS), words=tuple(MAPS.values()), group="Appearance",
    ),
    Setting("wheel_inverted", False, "Turn the wheel the other way", "Turning towards you then goes forward.", group="Viewer"),
    Setting(
        "neurological", False, "Neurological display",
        "The patient's left on the left of the screen; else as seen from the feet. Each picture says which.", group="Viewer",
    ),
    Setting("nose_right", False, "Sagittal slices look to the right", "Else the nose is at the left.", group="Viewer"),
    Setting(
        "smooth", True, "Smooth pixels", "Pictures are interpolated between voxels; values that are read are not.", group="Viewer"
    ),
    Setting(
        "translate_after_open", True, "Translate at once", "Translate a scan as soon as it is open and a model fits it.",
        group="Opening",
    ),
    Setting(
        "remember_recent",
        True,
        "Remember recent scans",
        "Keeps a list of opened scans, readable by you alone. Paths that seem to "
        "hold a patient's name, number or date are never kept.",
        group="Opening",
    ),
    Setting(
        "hide_noncommercial", False, "Hide models for non-commercial use",
        "Those that learnt from data whose licence forbids commercial use are not listed nor chosen, here and by the command.",
        group="Models",
    ),
    Setting(
        "device", "auto", "Device", "Where the next translation runs. A graphics card is much faster where there is one.",
        ("auto", "cpu", "cuda"), words=("Automatic", "Processor", "Graphics card"), group="Computing",
    ),
    *TRANSLATION_OPTIONS,
    Setting("graphics_card", 0, limits=(0, 63)),  # which of several translates
    Setting("map_opacity", 70, limits=(10, 100)),  # percent
    Setting("draw_rate", 3, limits=(1, 10)),  # draws per second where they alternate
    Setting("recent", ()),  # `Recent.to_text`
    Setting("last_folder", ""),
    Setting("window_geometry", ""),
    Setting("window_state", ""),
    Setting("layout", ""),  # the panes as they stood last, and what was named: `PaneLayout.stored` as JSON
    Setting("layouts", ()),
    Setting("shortcuts", ()),  # keys that are not those of the tables: `shortcuts.bindings`
    Setting("window_presets", ()),  # where they are not those of the program: `PresetBook.texts`
    Setting("saved_count", 0, limits=(0, 10**9)),
    Setting("cine_rate", 10, limits=(1, 60)),  # slices per second
    Setting("cine_there_and_back", False),
    Setting("film_format", ".gif", choices=(".gif", ".mp4")),  # of the film that was saved last, as the next two
    Setting("film_rate", 10, limits=(1, 60)),  # frames per second
    Setting("film_there_and_back", False),
    Setting("training_draft", ""),  # the run that was being put together; readable by the user alone
    Setting("training_source", ""),  # where its data come from, and those before; no path that tells of a patient
    Setting("training_recent", ()),
    Setting("training_folders", ()),  # where runs were kept beside the usual folder, the last one first
    Setting("training_geometry", ""),
    Setting("training_not_now", ()),  # interrupted runs that nobody wanted to resume
    Setting("evaluation_folders", ()),  # where evaluations lie beside the usual place, the last one first
    Setting("evaluation_geometry", ""),
    Setting("study_draft", ""),  # the reader study that is being put together; no path that tells of a patient
    Setting("study_draft_left_out", 0, limits=(0, 10**6)),  # how many cases were left out by hand in it: their names are not kept
    Setting("study_folders", ()),  # studies that were made or opened, the last one first
    Setting("study_geometry", ""),
)
SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.key: setting for setting in _TABLE})


def settings_file() -> Path:
    """Where settings are kept. The environment's `CTMRI_CONFIG_DIR` overrides the user's configuration folder."""
    named = os.environ.get("CTMRI_CONFIG_DIR")
    return (Path(named) if named else platformdirs.user_config_path("ctmri-studio", appauthor=False)) / "settings.json"


class Settings(QObject):
    """The values, loaded once and written when asked. `changed(key)` follows each; `keptOut()` says once that a path was not
    remembered, for it seems to tell who a patient is.
    """

    changed = Signal(str)
    keptOut = Signal()

    def __init__(self, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path or settings_file()
        self.problem = ""
        self._told = False
        self._values: dict[str, Any] = self._read()

    def __getitem__(self, key: str) -> Any:
        return self._values.get(key, SETTINGS[key].default)

    def __setitem__(self, key: str, value: bool | int | str | tuple[str, ...]) -> None:
        if not SETTINGS[key].accepts(value):
            raise ValueError(f"{value!r} is no value for {key}")
        if self[key] != value:
            self._values[key] = value
            self.changed.emit(key)

    def save(self) -> None:
        """Writes the file, readable by its owner alone. A disk that refuses costs the settings, not the work."""
        content = json.dumps(self._values, indent=1, sort_keys=True).encode()
        try:
            write_bytes(self.path, content, private=True)
        except WriteFailed as error:
            _log.warning("settings not kept: %s", error)

    @property
    def recent(self) -> tuple[Recent, ...]:
        """Scans opened before, newest first."""
        return tuple(entry for text in self["recent"] if (entry := Recent.from_text(text)) is not None)

    def remember(self, path: Path, kind: str, patients: Iterable[DicomSource] = ()) -> None:
        """Puts `path` on top of the recent scans, and its folder where dialogs start; nothing when that is switched off.

        `patients`: whom the scans in `path` show, where their headers say so. A path that tells of them is not remembered.
        """
        if not self["remember_recent"]:
            return
        identities = [identity_of(patient) for patient in patients]
        if not tells_of_patient(path.parent, identities):
            self["last_folder"] = str(path.parent)
        if tells_of_patient(path, identities):
            if not self._told:
                self._told = True
                self.keptOut.emit()
            return
        newest = Recent(path, kind, datetime.now())
        others = [entry for entry in self.recent if entry.path != path]
        self["recent"] = tuple(entry.to_text() for entry in (newest, *others[: _KEPT_RECENT - 1]))
        self.save()  # known after a crash too

    def forget_recent(self) -> None:
        """Forgets what was opened and where, on the disk as well."""
        self["recent"], self["last_folder"] = (), ""
        self["training_recent"], self["training_source"], self["study_folders"] = (), "", ()
        self.save()

    def next_number(self) -> int:
        """Counts up: default names of saved files carry a number, never a patient's name."""
        self["saved_count"] = self["saved_count"] + 1
        return int(self["saved_count"])

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            self.problem = f"{self.path.name} could not be read; the program starts with its default settings."
            return {}
        if not isinstance(values, dict):
            values = {}
        known = {key: value for key, value in values.items() if key in SETTINGS and SETTINGS[key].accepts(value)}
        return {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
