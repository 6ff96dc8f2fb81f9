"""The one table of the viewer's keys. The window may rebind any of them through `LinkedViews.actions_by_name`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyAction:
    """`name`: stable, for settings; `text`: for menus and the shortcut sheet; `keys`: portable key sequences."""

    name: str
    text: str
    keys: tuple[str, ...]


KEY_ACTIONS = (
    KeyAction("slice_forward", "One slice forward (towards head, front or left)", ("Up",)),
    KeyAction("slice_back", "One slice back", ("Down",)),
    KeyAction("slice_forward_10", "Ten slices forward", ("PgUp",)),
    KeyAction("slice_back_10", "Ten slices back", ("PgDown",)),
    KeyAction("slice_first", "First slice", ("Home",)),
    KeyAction("slice_last", "Last slice", ("End",)),
    KeyAction("preset_0", "Automatic window", ("0",)),
    *(KeyAction(f"preset_{number}", f"Window preset {number}", (str(number),)) for number in range(1, 10)),
    KeyAction("invert", "Invert grey values", ("I",)),
    KeyAction("smooth", "Smooth pixels, or sharp edges", ()),
    KeyAction("reset_views", "Reset zoom and position", ("R",)),
    KeyAction("toggle_text", "Show or hide the text on the pictures", ("Space", "T")),
    KeyAction("crosshair_tool", "Crosshair tool", ("X",)),
    KeyAction("next_pane", "Next pane", ("Ctrl+Tab",)),
    KeyAction("previous_pane", "Previous pane", ("Ctrl+Shift+Tab",)),
    KeyAction("maximise_pane", "Maximise the pane, or show all", ("F",)),
)

MOUSE_GESTURES = (
    ("Wheel", "Scroll slices; with Shift five at a time"),
    ("Ctrl + wheel, right drag", "Zoom"),
    ("Left drag", "Window: sideways width, up and down level"),
    ("Middle drag, Shift + left drag", "Move the picture"),
    ("Shift + move", "Crosshair while Shift is held"),
    ("Ctrl + click", "Put the crosshair"),
    ("Double click", "Maximise the pane, or show all"),
    ("Ctrl + double click", "Reset the window"),
    ("Right click", "Menu"),
)
