"""What an exported picture shows beside the slices, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """`pane`: width and height of one pane's picture in px beside text of the program's size; `sharpness`: pixels of the file for
    each of those, so that text and lines grow with the picture.

    `names`: names of files, which may tell who the patient is. That a picture is synthetic cannot be left out.
    """

    pane: tuple[int, int] = (640, 640)
    sharpness: int = 1
    captions: bool = True
    letters: bool = True
    facts: bool = True
    drawings: bool = True
    names: bool = False
