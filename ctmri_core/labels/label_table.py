"""Which name is which number: given by a list as labelme's `labels.txt`, or found in the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ctmri_core.errors import FileRefused, WrongInput
from ctmri_core.io import preflight
from ctmri_core.labels.labelme_file import checked_name

IGNORE, BACKGROUND = "__ignore__", "_background_"
UNDECIDED = 255
"""The number of what was marked to be ignored, as in VOC."""
_MOST = 254
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class LabelTable:
    """`names`: of the numbers from 0, which is the background. `__ignore__` is 255 and not among them."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) - 1 > _MOST:
            raise WrongInput(f"There are {len(self.names) - 1} labels; a picture can number {_MOST}. Use fewer.")

    def number(self, name: str) -> int | None:
        """None of a name that is not in the table."""
        if name == IGNORE:
            return UNDECIDED
        return self.names.index(name) if name in self.names else None

    def name(self, number: int) -> str:
        """Numbers without a name are called by themselves."""
        if number == UNDECIDED:
            return IGNORE
        return self.names[number] if number < len(self.names) else f"label_{number}"

    @property
    def text(self) -> str:
        """One name in a line, as `class_names.txt` has them."""
        return "".join(f"{name}\n" for name in self.names)


def found_table(names: Iterable[str]) -> LabelTable:
    """Numbered from 1 in the order of the alphabet, whatever the order of the files."""
    return LabelTable((BACKGROUND, *sorted(set(names) - {IGNORE, BACKGROUND})))


def given_table(names: Iterable[str]) -> LabelTable:
    """In the order given; `__ignore__` and `_background_` may be there or not. Raises `WrongInput` for a name given twice."""
    listed = [name for name in names if name not in (IGNORE, BACKGROUND)]
    twice = sorted({name for name in listed if listed.count(name) > 1})
    if twice or not listed:
        raise WrongInput(f"The list of labels names {twice[0]} twice." if twice else "The list of labels is empty.")
    return LabelTable((BACKGROUND, *listed))


def read_table(path: Path) -> LabelTable:
    """From a text file with one name in each line, such as labelme's `labels.txt` or `class_names.txt`. Raises `FileRefused`."""
    if preflight.regular_file(path) > _MOST_BYTES:
        raise FileRefused(path, "is too large for a list of labels.", "Choose the text file with one label in each line.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (ValueError, OSError) as error:
        raise FileRefused(path, "is no text.", "Choose the text file with one label in each line.") from error
    names = [checked_name(path, f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    try:
        return given_table(names)
    except WrongInput as error:
        raise FileRefused(path, str(error)) from error
