"""Which keys lead to which command now: the defaults of both tables of commands, and what the user made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from ctmri_gui.actions import COMMANDS, keys_text, with_keys
from ctmri_gui.menus import MENUS, menu_of
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.keys import KEY_ACTIONS, PICTURE

_SETTING = "shortcuts"
_ON_PICTURES = "On the pictures"


@dataclass(frozen=True, slots=True)
class Row:
    """One command. `id`: unique in both tables; `group`: where it is found; `keys`: its own, which `reset` brings back."""

    id: str
    text: str
    group: str
    keys: tuple[str, ...]


def all_rows() -> tuple[Row, ...]:
    """Both tables in their order, the window's commands first."""
    window = (Row(f"window.{one.name}", _plain(one.text), menu_of(one.name), _normal(one.keys)) for one in COMMANDS)
    views = (Row(f"view.{one.name}", one.text, _place(one.group), _normal(one.keys)) for one in KEY_ACTIONS)
    return (*window, *views)


def reserved(key: str) -> str:
    """Why a key cannot be given to a command, as the end of a sentence; empty when it can."""
    menus = {f"Alt+{title[title.index('&') + 1].upper()}": title.replace("&", "") for title, _ in MENUS}
    if key in ("Tab", "Shift+Tab", "Shift+Backtab", "Backtab"):
        return "moves between the parts of the window"
    return f"opens the menu {menus[key]}" if key in menus else ""


class Bindings(QObject):
    """The keys in use. A key leads to one command: who gets it takes it from who had it.

    A command whose keys were never changed has those of its table, as far as no other was given one of them. `changed()`
    follows every change; settings, actions and tooltips have it by then.
    """

    changed = Signal()

    def __init__(
        self, settings: Settings, window: Mapping[str, QAction], views: Mapping[str, QAction], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._rows = {row.id: row for row in all_rows()}
        actions = {"window": window, "view": views}
        self._actions = {one: actions[one.partition(".")[0]][one.partition(".")[2]] for one in self._rows}
        self._tips = {f"window.{one.name}": one.tip for one in COMMANDS}
        self._words: dict[str, str] = {}
        self._chosen = _from_texts(settings[_SETTING], self._rows)
        settings.changed.connect(self._follow)
        self._apply()

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def words(self, row: str) -> str:
        """What the command does: as its table says, or as `describe` said last."""
        return self._words.get(row) or self._rows[row].text

    def describe(self, row: str, words: str) -> None:
        """Other words for a command whose meaning can be changed, such as a preset's key."""
        self._words[row] = words
        self._dress(row)

    def keys(self, row: str) -> tuple[str, ...]:
        """The keys that lead to the command now (portable)."""
        if row in self._chosen:
            return self._chosen[row]
        taken = {key for keys in self._chosen.values() for key in keys}
        return tuple(key for key in self._rows[row].keys if key not in taken)

    def keys_text(self, row: str) -> str:
        """As this platform writes them."""
        return keys_text(self.keys(row))

    def holder(self, key: str, other_than: str = "") -> Row | None:
        """The command that a key leads to now."""
        wanted = _normal((key,))
        return next((row for row in self.rows if row.id != other_than and set(wanted) & set(self.keys(row.id))), None)

    def set_keys(self, row: str, keys: Iterable[str]) -> None:
        """Gives the command these keys and no others, in settings too. Raises ValueError for a key that is reserved."""
        new = _normal(keys)
        if any(reserved(key) for key in new):
            raise ValueError(f"{keys_text(new)} is no key for a command")
        chosen = {one: tuple(key for key in held if key not in new) for one, held in self._chosen.items() if one != row}
        if new != self._rows[row].keys:
            chosen[row] = new
        self._keep(chosen)

    def reset(self, row: str) -> None:
        """The keys of the table again, whoever has them now."""
        self.set_keys(row, self._rows[row].keys)

    def reset_all(self) -> None:
        self._keep({})

    def is_changed(self, row: str) -> bool:
        return self.keys(row) != self._rows[row].keys

    def _keep(self, chosen: Mapping[str, tuple[str, ...]]) -> None:
        self._chosen = dict(chosen)
        texts = tuple(json.dumps([row, *keys]) for row, keys in chosen.items())
        if self._settings[_SETTING] != texts:
            self._settings[_SETTING] = texts
            self._settings.save()

    def _follow(self, key: str) -> None:
        if key == _SETTING:
            self._chosen = _from_texts(self._settings[_SETTING], self._rows)
            self._apply()

    def _apply(self) -> None:
        for row in self._rows:
            self._dress(row)
        self.changed.emit()

    def _dress(self, row: str) -> None:
        action, keys = self._actions[row], self.keys(row)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setToolTip(with_keys(self._tips.get(row) or self.words(row), keys))


def _from_texts(texts: Iterable[str], rows: Mapping[str, Row]) -> dict[str, tuple[str, ...]]:
    """What settings hold; entries of other versions and broken ones are left out."""
    chosen = {}
    for text in texts:
        try:
            entry = json.loads(text)
        except ValueError:
            continue
        if isinstance(entry, list) and entry and all(isinstance(part, str) for part in entry) and entry[0] in rows:
            chosen[entry[0]] = tuple(key for key in _normal(entry[1:]) if not reserved(key))
    return chosen


def _normal(keys: Iterable[str]) -> tuple[str, ...]:
    """Each key as Qt writes it, once."""
    portable = (QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) for key in keys)
    return tuple(dict.fromkeys(key for key in portable if key))


def _place(group: str) -> str:
    return _ON_PICTURES if group == PICTURE else f"{_ON_PICTURES}: {group.lower()}"


def _plain(text: str) -> str:
    return text.replace("&", "").replace("…", "")
