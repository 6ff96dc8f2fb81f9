"""The one table of the viewer's keys. The window may rebind any of them through `LinkedViews.actions_by_name`."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_gui.viewer.presets import CT_PRESETS, MR_PRESETS

PICTURE, SLICES, WINDOWS, TOOLS, PANES = "Picture", "Slices", "Window presets", "Tools", "Panes"


@dataclass(frozen=True)
class KeyAction:
    """`name`: stable, for settings; `text`: for menus and the shortcut sheet; `keys`: portable key sequences. `checked`: how
    a switch stands at first; None for what is no switch. `group`: its part of the sheet, and its menu within View."""

    name: str
    text: str
    keys: tuple[str, ...]
    checked: bool | None = None
    group: str = PICTURE


def _preset_row(key: str) -> KeyAction:
    names = [
        f"{preset.name} ({modality})"
        for modality, presets in (("CT", CT_PRESETS), ("MR", MR_PRESETS))
        for preset in presets
        if preset.key == key
    ]
    return KeyAction(f"preset_{key}", f"Window: {', '.join(names)}", (key,) if key.isdigit() else (), group=WINDOWS)


PRESET_KEYS = tuple(dict.fromkeys(preset.key for preset in (*CT_PRESETS, *MR_PRESETS)))

KEY_ACTIONS = (
    KeyAction("slice_forward", "One slice forward (towards head, front or left)", ("Up",), group=SLICES),
    KeyAction("slice_back", "One slice back", ("Down",), group=SLICES),
    KeyAction("slice_forward_10", "Ten slices forward", ("PgUp",), group=SLICES),
    KeyAction("slice_back_10", "Ten slices back", ("PgDown",), group=SLICES),
    KeyAction("slice_first", "First slice", ("Home",), group=SLICES),
    KeyAction("slice_last", "Last slice", ("End",), group=SLICES),
    *map(_preset_row, PRESET_KEYS),
    KeyAction("invert", "Inverted grey values", ("I",), checked=False),
    KeyAction("smooth", "Smooth pixels", (), checked=True),
    KeyAction("reset_views", "Reset zoom and position", ("R",)),
    KeyAction("toggle_text", "Position, window and scale on the pictures", ("Space", "T"), checked=True),
    KeyAction("crosshair_tool", "Crosshair tool: left drag puts the crosshair", ("X",), checked=False, group=TOOLS),
    KeyAction("scroll_tool", "Scroll tool: left drag goes through the slices", ("S",), checked=False, group=TOOLS),
    KeyAction("neurological", "Neurological display (left on left)", ("Ctrl+Shift+N",), checked=False),
    KeyAction("link", "Link this pane with the others", ("Ctrl+L",), checked=True, group=PANES),
    KeyAction("nose_right", "Sagittal slices look to the right", (), checked=False, group=PANES),
    KeyAction("straight", "Planes along the patient's axes, resliced", (), checked=False, group=PANES),
    KeyAction("link_as_shown", "Link this pane as it is shown now (offset by hand)", ("Ctrl+Shift+L",), group=PANES),
    KeyAction("single_pane", "This pane alone", ("Ctrl+4",), group=PANES),
    KeyAction("detach_pane", "This pane in a window of its own, or back", ("Ctrl+Shift+D",), group=PANES),
    KeyAction("next_pane", "Next pane", ("Ctrl+Tab",), group=PANES),
    KeyAction("previous_pane", "Previous pane", ("Ctrl+Shift+Tab",), group=PANES),
    KeyAction("maximise_pane", "Maximise the pane, or show all", ("F",), group=PANES),
    KeyAction("cancel", "Leave the tool, the crosshair, the maximised pane, the full screen", ("Esc",), group=PANES),
)

MOUSE_GESTURES = (
    ("Wheel", "Scroll slices; with Shift five at a time"),
    ("Ctrl + wheel, right drag", "Zoom"),
    ("Left drag", "Window: sideways width, up and down level (or the tool chosen with X or S)"),
    ("Middle drag, Shift + left drag", "Move the picture"),
    ("Shift + move", "Crosshair while Shift is held"),
    ("Ctrl + click", "Put the crosshair; all linked panes go there"),
    ("Double click", "Maximise the pane, or show all"),
    ("Ctrl + double click", "Reset the window, take the crosshair away"),
    ("Right click, Menu key", "Menu"),
)
