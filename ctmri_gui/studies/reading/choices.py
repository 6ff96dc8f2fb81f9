"""How the question of each design is answered: nothing is chosen at first, and both choice and confidence must be."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.trials import Trial
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_parts import OneOf
from ctmri_gui.studies.reading.ranking import RankingLists

_SURE = ("Definitely", "Probably", "Possibly")


class Choice(QWidget):
    """`changed` when the reader chose. This one asks nothing: of designs that have questions alone."""

    changed = Signal()
    keys = ""
    """How it is answered by the keyboard, in words."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)

    @property
    def choice(self) -> str:
        """As `Answer.choice`; empty before it is chosen."""
        return ""

    @property
    def confidence(self) -> int | None:
        return None

    def begin(self, trial: Trial) -> None:
        """Nothing is chosen."""

    def put(self, choice: str, confidence: int | None) -> None:
        """What was answered before."""

    def take_digit(self, digit: int) -> bool:
        """Whether the key means something here."""
        del digit
        return False

    def take_arrow(self, key: Qt.Key) -> bool:
        """Whether left or right mean something here."""
        del key
        return False

    def captions(self, count: int) -> list[str]:
        """What stands over the pictures."""
        return [""] * count if count == 1 else [f"Picture {number}" for number in range(1, count + 1)]


class SixPoints(Choice):
    """Two sides with three steps each and none between them."""

    keys = "1 to 6"

    def __init__(self, sides: tuple[str, str]) -> None:
        super().__init__()
        self._sides = sides
        words = [f"{sure} {side}" for side, order in zip(sides, (1, -1), strict=True) for sure in _SURE[::order]]
        self._scale = OneOf([f"{number}   {text}" for number, text in enumerate(words, 1)], words, upright=True)
        self._scale.changed.connect(self.changed)
        self._column.addWidget(self._scale)

    @property
    def choice(self) -> str:
        chosen = self._scale.chosen
        return "" if chosen is None else self._sides[chosen // 3]

    @property
    def confidence(self) -> int | None:
        chosen = self._scale.chosen
        return None if chosen is None else (3, 2, 1, 1, 2, 3)[chosen]

    def begin(self, trial: Trial) -> None:
        del trial
        self._scale.choose(None)

    def put(self, choice: str, confidence: int | None) -> None:
        if confidence is not None:
            self._scale.choose(3 - confidence if choice == self._sides[0] else 2 + confidence)

    def take_digit(self, digit: int) -> bool:
        return self._scale.press(digit - 1)


class TwoSides(Choice):
    """Which of two, and how sure from 1 to 5."""

    keys = "← or →, then 1 to 5"

    def __init__(self) -> None:
        super().__init__()
        self._side = OneOf(("←   Left", "Right   →"), ("Left", "Right"))
        self._sure = OneOf([str(number) for number in range(1, 6)], [f"Sure, {number} of 5" for number in range(1, 6)])
        ends = QHBoxLayout()
        ends.addWidget(label("1 a guess", "muted", wrap=False))
        ends.addStretch(1)
        ends.addWidget(label("5 certain", "muted", wrap=False))
        for part in (self._side, label("How sure are you?", "heading"), self._sure):
            self._column.addWidget(part)
        self._column.addLayout(ends)
        self._side.changed.connect(self.changed)
        self._sure.changed.connect(self.changed)

    @property
    def choice(self) -> str:
        return "" if self._side.chosen is None else str(self._side.chosen)

    @property
    def confidence(self) -> int | None:
        return None if self._sure.chosen is None else self._sure.chosen + 1

    def begin(self, trial: Trial) -> None:
        del trial
        self._side.choose(None)
        self._sure.choose(None)

    def put(self, choice: str, confidence: int | None) -> None:
        self._side.choose(int(choice))
        self._sure.choose(None if confidence is None else confidence - 1)

    def take_digit(self, digit: int) -> bool:
        return self._sure.press(digit - 1)

    def take_arrow(self, key: Qt.Key) -> bool:
        return self._side.press(0 if key == Qt.Key.Key_Left else 1)

    def captions(self, count: int) -> list[str]:
        return ["Left", "Right"][:count]


class Ranking(Choice):
    """Pictures from best to worst, by keys or by dragging."""

    keys = "numbers of the pictures, the best first; again takes one back"

    def __init__(self) -> None:
        super().__init__()
        self._items: Sequence[str] = ()
        self._lists = RankingLists()
        self._lists.changed.connect(self.changed)
        self._column.addWidget(self._lists)

    @property
    def choice(self) -> str:
        return ",".join(self._items[number] for number in self._lists.order)

    def begin(self, trial: Trial) -> None:
        self._items = trial.items
        self._lists.begin(len(trial.items))

    def put(self, choice: str, confidence: int | None) -> None:
        del confidence
        self._lists.put([self._items.index(token) for token in choice.split(",")])

    def take_digit(self, digit: int) -> bool:
        return self._lists.toggle(digit - 1)


def choice_for(protocol: Protocol) -> Choice:
    """What the protocol's design asks."""
    if protocol.design == "yes_no":
        return SixPoints(("real", "synthetic"))
    if protocol.design == "diagnosis":
        return SixPoints(("absent", "present"))
    if protocol.design == "two_alternatives":
        return TwoSides()
    return Ranking() if protocol.design == "rank" else Choice()
