"""The presets of each modality, as the user has them; before them the windows that a file offers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.volume import Volume
from ctmri_gui.viewer.presets import Preset, Window

PRESET_KEYS = tuple("1234567890")
LONGEST_NAME = 40
_SMALLEST_WIDTH, _LARGEST = 1e-3, 1e7


class PresetKind(StrEnum):
    """Which list a volume has: Hounsfield units mean the same everywhere, those of MR nothing."""

    CT = "CT"
    MR = "MR"

    @classmethod
    def of(cls, domain: Domain) -> PresetKind:
        return cls.CT if domain is Domain.CT else cls.MR


AUTO = Preset("Auto", percentiles=(0.5, 99.5), key="0")
CT_PRESETS = (
    AUTO,
    Preset("Brain", Window(40, 80), key="1"),
    Preset("Bone", Window(400, 2000), key="2"),
    Preset("Lung", Window(-600, 1500), key="3"),
    Preset("Mediastinum", Window(40, 400), key="4"),
    Preset("Abdomen / soft tissue", Window(40, 400), key="5"),
    Preset("Liver", Window(90, 150), key="6"),
    Preset("Angio", Window(200, 600), key="7"),
    Preset("Stroke", Window(40, 40), key="8"),
    Preset("Full", Window(988, 4024), key="9"),
    Preset("Subdural", Window(75, 200)),
)
MR_PRESETS = (
    AUTO,
    Preset("Tight", percentiles=(2, 98), key="1"),
    Preset("Wide", percentiles=(0.1, 99.9), key="2"),
    Preset("Match truth", matches_truth=True, key="3"),
)
DEFAULTS: Mapping[PresetKind, tuple[Preset, ...]] = {PresetKind.CT: CT_PRESETS, PresetKind.MR: MR_PRESETS}


class PresetBook(QObject):
    """Both lists. `changed()` follows every change."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lists = dict(DEFAULTS)

    def own(self, kind: PresetKind) -> tuple[Preset, ...]:
        """The list of a modality, in the user's order."""
        return self._lists[kind]

    def of(self, volume: Volume | None) -> tuple[Preset, ...]:
        """What a volume can be shown with: the windows of its file, then the list of its modality; nothing without a volume."""
        return () if volume is None else (*_stored(volume), *self._lists[PresetKind.of(volume.domain)])

    def replace(self, lists: Mapping[PresetKind, tuple[Preset, ...]]) -> None:
        """Other lists; an empty one becomes that of the program."""
        new = {kind: lists.get(kind) or DEFAULTS[kind] for kind in PresetKind}
        if new != self._lists:
            self._lists = new
            self.changed.emit()

    def words(self, key: str) -> str:
        """What a number key does: `Brain (CT), Tight (MR)`; empty for nothing."""
        return ", ".join(f"{one.name} ({kind})" for kind in PresetKind for one in self._lists[kind] if one.key == key)

    def texts(self) -> tuple[str, ...]:
        """For settings: nothing while the lists are those of the program."""
        if self._lists == dict(DEFAULTS):
            return ()
        return tuple(_text(kind, preset) for kind in PresetKind for preset in self._lists[kind])

    def read(self, texts: Iterable[str]) -> None:
        """Takes over what `texts` gave; entries that make no sense are left out."""
        lists: dict[PresetKind, list[Preset]] = {kind: [] for kind in PresetKind}
        for text in texts:
            found = _from_text(text)
            if found is not None and fits(found[1], lists[found[0]]):
                lists[found[0]].append(found[1])
        self.replace({kind: tuple(presets) for kind, presets in lists.items()})


def fits(preset: Preset, others: Iterable[Preset]) -> bool:
    """Whether a preset has a usable name, key and window, and neither name nor key of one of `others`."""
    if not preset.name or len(preset.name) > LONGEST_NAME or not preset.name.isprintable() or preset.name in PRESET_KEYS:
        return False
    if preset.key and preset.key not in PRESET_KEYS:
        return False
    if any(other.name == preset.name or (preset.key and other.key == preset.key) for other in others):
        return False
    return preset.matches_truth or _is_window(preset.window) or _are_percentiles(preset.percentiles)


def _is_window(window: Window | None) -> bool:
    return window is not None and _SMALLEST_WIDTH <= window.width <= _LARGEST and abs(window.centre) <= _LARGEST


def _are_percentiles(ends: tuple[float, float] | None) -> bool:
    return ends is not None and 0 <= ends[0] < ends[1] <= 100


def _stored(volume: Volume) -> tuple[Preset, ...]:
    """The windows of the file, each once, by their explanations where it gives any."""
    presets: dict[Window, Preset] = {}
    for centre, width, explanation in volume.windows:
        name = f"File: {explanation}" if explanation else "As the file says"
        same = sum(preset.name.partition(" #")[0] == name for preset in presets.values())
        window = Window(centre, width)
        presets.setdefault(window, Preset(f"{name} #{same + 1}" if same else name, window, stored=True))
    return tuple(presets.values())


def _text(kind: PresetKind, preset: Preset) -> str:
    entry: dict[str, Any] = {"for": kind.value, "name": preset.name, "key": preset.key}
    if preset.window is not None:
        entry["window"] = [preset.window.centre, preset.window.width]
    elif preset.percentiles is not None:
        entry["percentiles"] = list(preset.percentiles)
    return json.dumps(entry)


def _from_text(text: str) -> tuple[PresetKind, Preset] | None:
    try:
        entry = json.loads(text)
        kind, name, key = PresetKind(entry["for"]), str(entry["name"]), str(entry["key"])
        window, ends = _pair(entry.get("window")), _pair(entry.get("percentiles"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return kind, Preset(name, Window(*window) if window else None, ends, window is None and ends is None, key)


def _pair(numbers: object) -> tuple[float, float] | None:
    """Raises ValueError or TypeError for what is neither None nor two finite numbers."""
    if numbers is None:
        return None
    if not isinstance(numbers, list) or len(numbers) != 2:
        raise TypeError
    first, second = (float(number) for number in numbers)
    if not math.isfinite(first) or not math.isfinite(second):
        raise ValueError
    return first, second
