"""What the keys do, in words: one line under the pictures, and the table that is shown before the first trial."""

from __future__ import annotations

from ctmri_core.studies.protocol import Protocol
from ctmri_gui.studies.reading.answer_panel import REASON_KEYS, marks_are_asked

Rows = tuple[tuple[str, str], ...]
_CHOICES: dict[str, Rows] = {
    "yes_no": (("1 2 3", "definitely, probably, possibly real"), ("4 5 6", "possibly, probably, definitely synthetic")),
    "diagnosis": (("1 2 3", "definitely, probably, possibly absent"), ("4 5 6", "possibly, probably, definitely present")),
    "two_alternatives": (("←  →", "the left one, the right one"), ("1 to 5", "how sure, from a guess to certain")),
    "rank": (("1, 2, …", "that picture gets the next place, the best first; again takes it back. Or drag it, or double-click"),),
    "grading": (("1, 2, …", "the grade; the next scale follows"),),
}


def key_rows(protocol: Protocol) -> Rows:
    """(keys, what they do), those that answer first."""
    display = protocol.display
    rows = list(_CHOICES[protocol.design])
    if protocol.questions:
        rows.append(("Tab", "to the next question, Esc back to the picture"))
    if protocol.reasons:
        rows.append((" ".join(REASON_KEYS[: len(protocol.reasons)]), "tick a reason"))
    if marks_are_asked(protocol):
        rows.append(("M, then click", "mark a place; a click on a mark takes it away"))
        rows.append(("M, arrows, Space", "the same by keyboard; Del takes the last one away"))
    if protocol.display.may_measure:
        rows.append(("L, then two clicks", "a distance; Del takes the last one away"))
    rows.append(("Enter", "next trial"))
    if display.shown == "volume":
        rows.append(("↑ ↓, wheel", "slices; Page Up and Page Down ten, Home and End to the ends"))
    if display.may_window:
        rows.append(("Left drag, Ctrl + arrows", "grey window: sideways width, up and down level"))
        rows.append(("Alt + 1, 2, …", "given windows"))
    if display.may_zoom:
        rows.append(("Right drag, + −", "zoom; middle drag or Shift + arrows move the picture"))
    rows.append(("R", "picture as at first"))
    apart = not display.linked or marks_are_asked(protocol) or any(one.kind == "mark" for one in protocol.questions)
    if apart and protocol.design in ("two_alternatives", "rank"):
        rows.append(("N", "the keys go to the next picture"))
    if protocol.go_back:
        rows.append(("Backspace", "back to the trial before"))
    rows += [("P", "pause: the picture goes and no time counts"), ("F11", "full screen"), ("Ctrl + and −", "size of the text")]
    return tuple(rows)


def keys_line(protocol: Protocol) -> str:
    """The most needed ones."""
    display = protocol.display
    parts = ["↑ ↓ slices"] if display.shown == "volume" else []
    parts += ["Left drag window", "Alt + 1 … given windows"] if display.may_window else []
    parts += ["Right drag or + − zoom"] if display.may_zoom else []
    parts += ["R as at first"]
    parts += ["M mark"] if marks_are_asked(protocol) else []
    parts += ["L distance"] if display.may_measure else []
    return "    ·    ".join((*parts, "P pause", "F1 all keys"))
