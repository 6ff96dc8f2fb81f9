"""The one table of the viewer's keys. The window may rebind any of them through `LinkedViews.actions_by_name`."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_gui.viewer.preset_book import PRESET_KEYS

PICTURE, SLICES, WINDOWS, TOOLS, MEASURE = "Picture", "Slices", "Window presets", "Tools", "Measure"
NUDGE = "Move a measurement"
LAYOUTS, PANES, COMPARE, BODY, CERTAINTY = "Layout", "Panes", "Compare", "Body", "Certainty"


@dataclass(frozen=True)
class KeyAction:
    """`name`: stable, for settings; `text`: for menus and the shortcut sheet; `keys`: portable key sequences. `checked`: how
    a switch stands at first; None for what is no switch. `group`: its part of the sheet, and its menu within View. `icon`: on
    the tool bar."""

    name: str
    text: str
    keys: tuple[str, ...]
    checked: bool | None = None
    group: str = PICTURE
    icon: str = ""


KEY_ACTIONS = (
    KeyAction("slice_forward", "One slice forward (towards head, front or left)", ("Up",), group=SLICES),
    KeyAction("slice_back", "One slice back", ("Down",), group=SLICES),
    KeyAction("slice_forward_10", "Ten slices forward", ("PgUp",), group=SLICES),
    KeyAction("slice_back_10", "Ten slices back", ("PgDown",), group=SLICES),
    KeyAction("slice_first", "First slice", ("Home",), group=SLICES),
    KeyAction("slice_last", "Last slice", ("End",), group=SLICES),
    *(KeyAction(f"preset_{key}", f"Window preset {key}", (key,), group=WINDOWS) for key in PRESET_KEYS),
    KeyAction("type_window", "Type width and level of the window", ("G",), group=WINDOWS),
    KeyAction("reset_window", "Window as at first", ("Shift+R",), group=WINDOWS),
    KeyAction("edit_presets", "Edit window presets", (), group=WINDOWS),
    KeyAction("invert", "Inverted grey values", ("I",), checked=False, icon="invert"),
    KeyAction("smooth", "Smooth pixels", (), checked=True),
    KeyAction("reset_views", "Reset zoom and position", ("R",), icon="reset"),
    KeyAction("toggle_text", "Position, window and scale on the pictures", ("Space", "T"), checked=True),
    KeyAction("window_tool", "Window tool: left drag changes width and level", ("V",), checked=True, group=TOOLS, icon="window"),
    KeyAction(
        "scroll_tool", "Scroll tool: left drag goes through the slices", ("S",), checked=False, group=TOOLS, icon="scroll"
    ),
    KeyAction(
        "crosshair_tool", "Crosshair tool: left drag puts the crosshair", ("X",), checked=False, group=TOOLS, icon="crosshair"
    ),
    KeyAction("measure_length", "Length", ("D", "L"), checked=False, group=MEASURE, icon="length"),
    KeyAction("measure_angle", "Angle", ("A",), checked=False, group=MEASURE, icon="angle"),
    KeyAction("measure_region", "Region: rectangle; pressed again ellipse, freehand, off", ("O",), group=MEASURE),
    KeyAction("measure_rectangle", "Rectangle", (), checked=False, group=MEASURE, icon="rectangle"),
    KeyAction("measure_ellipse", "Ellipse", (), checked=False, group=MEASURE, icon="ellipse"),
    KeyAction("measure_freehand", "Freehand region", (), checked=False, group=MEASURE, icon="freehand"),
    KeyAction("measure_place", "Put the tool's shape, or the brush, into the middle of the pane", ("Return",), group=MEASURE),
    KeyAction("measure_next", "Select the next measurement and go there", ("N",), group=MEASURE),
    KeyAction("measure_previous", "Select the measurement before and go there", ("Shift+N",), group=MEASURE),
    KeyAction("measure_delete", "Delete the selected measurement", ("Del",), group=MEASURE),
    KeyAction("measure_window", "Window from the selected region", ("Shift+W",), group=MEASURE),
    KeyAction("measure_profile", "Profile along the selected line", ("P",), group=MEASURE, icon="profile"),
    KeyAction("measure_histogram", "Joint histogram of two images", ("J",), group=MEASURE),
    *(
        KeyAction(f"measure_{word}_{way}", f"{words} selected measurement {way}", (f"{held}+{way.capitalize()}",), group=NUDGE)
        for word, words, held in (("move", "Move", "Alt"), ("size", "Resize", "Alt+Shift"))
        for way in ("left", "right", "up", "down")
    ),
    KeyAction("measure_shown", "Measurements on the pictures", (), checked=True, group=MEASURE),
    KeyAction("neurological", "Neurological display (left on left)", ("Ctrl+Shift+N",), checked=False),
    KeyAction("link", "Link this pane with the others", ("Ctrl+L",), checked=True, group=PANES),
    KeyAction("nose_right", "Sagittal slices look to the right", (), checked=False, group=PANES),
    KeyAction("straight", "Planes along the patient's axes, resliced", (), checked=False, group=PANES),
    KeyAction("link_as_shown", "Link this pane as it is shown now (offset by hand)", ("Ctrl+Shift+L",), group=PANES),
    KeyAction("layout_1", "Layout: side by side", ("Ctrl+1",), group=LAYOUTS),
    KeyAction("layout_2", "Layout: three planes of each", ("Ctrl+2",), group=LAYOUTS),
    KeyAction("layout_3", "Layout: two by two", ("Ctrl+3",), group=LAYOUTS),
    KeyAction("layout_4", "Layout: planes of the source", ("Ctrl+4",), group=LAYOUTS),
    KeyAction("layout_models", "Layout: models side by side", ("Ctrl+6",), group=LAYOUTS),
    KeyAction("single_pane", "Layout: this pane alone", ("Ctrl+5",), group=LAYOUTS),
    KeyAction("detach_pane", "This pane in a window of its own, or back", ("Ctrl+Shift+D",), group=PANES),
    KeyAction("next_pane", "Next pane", ("Ctrl+Tab",), group=PANES),
    KeyAction("previous_pane", "Previous pane", ("Ctrl+Shift+Tab",), group=PANES),
    KeyAction("maximise_pane", "Maximise the pane, or show all", ("F",), group=PANES),
    KeyAction(
        "compare_next", "Compare: fade, wipe, checkerboard, difference, flicker, off", ("K",), checked=False, group=COMPARE,
        icon="compare",
    ),
    KeyAction("compare_other", "Compare with the next image", ("Shift+K",), group=COMPARE),
    KeyAction("compare_less", "Less of the other image, the masks or the map", ("Q",), group=COMPARE),
    KeyAction("compare_toggle", "Comparison, or masks, off and on again", ("W",), group=COMPARE),
    KeyAction("compare_more", "More of the other image, the masks or the map", ("E",), group=COMPARE),
    KeyAction("compare_hold", "Show the other image for as long as the key is held", ("H",), group=COMPARE),
    KeyAction("compare_turn", "Turn the line of the wipe", ("Shift+H",), group=COMPARE),
    KeyAction("masks_shown", "Masks on the pictures", ("M",), checked=True, group=COMPARE),
    KeyAction("masks_style", "Masks filled, as contours, or both", ("Shift+M",), group=COMPARE),
    KeyAction("map_shown", "Map of uncertainty or cycle error over the synthetic image", ("U",), checked=False, group=CERTAINTY),
    KeyAction("map_next", "The other map", ("Shift+U",), group=CERTAINTY),
    KeyAction("map_worst", "Go to where the map is highest", ("Ctrl+U",), group=CERTAINTY),
    KeyAction("draw_next", "Next draw", (".",), group=CERTAINTY),
    KeyAction("draw_previous", "Draw before", (",",), group=CERTAINTY),
    KeyAction("draw_hold", "Picture instead of the draw (or first draw) while the key is held", ("Y",), group=CERTAINTY),
    KeyAction("draw_play", "Alternate the draws by themselves, or stop", ("Shift+Y",), checked=False, group=CERTAINTY),
    KeyAction("body_mask", "Outline of the body", ("B",), checked=False, group=BODY),
    KeyAction("body_brush", "Brush: add to the mask; pressed again take away, off", ("Shift+B",), group=BODY),
    KeyAction("body_add", "Brush that adds to the mask", (), checked=False, group=BODY),
    KeyAction("body_erase", "Brush that takes away from the mask", (), checked=False, group=BODY),
    KeyAction("body_fill", "Fill an area of alike grey values in its slice", (), checked=False, group=BODY),
    KeyAction("body_grow", "Grow the mask", (), group=BODY),
    KeyAction("body_shrink", "Shrink the mask", (), group=BODY),
    KeyAction("body_ball", "Brush reaches into other slices", (), checked=False, group=BODY),
    KeyAction("body_smaller", "Smaller brush", ("[",), group=BODY),
    KeyAction("body_larger", "Larger brush", ("]",), group=BODY),
    KeyAction("body_anew", "Find anew", (), group=BODY),
    KeyAction("mask_new", "New mask over the pictures…", (), group=BODY),
    KeyAction("label_new", "New label in the mask…", (), group=BODY),
    KeyAction("cancel", "Leave the tool, crosshair, maximised pane, full screen; else go to the pictures", ("Esc",), group=PANES),
)

MEASURE_TOOLS = tuple(row.name for row in KEY_ACTIONS if row.group == MEASURE and row.checked is False)
BODY_TOOLS = ("body_add", "body_erase", "body_fill")

MOUSE_GESTURES = (
    ("Wheel", "Scroll slices; with Shift five at a time"),
    ("Ctrl + wheel, right drag", "Zoom"),
    ("Left drag", "Window: sideways width, up and down level (or what the tool in use does)"),
    ("Left drag or clicks with a measuring tool", "Draw; afterwards drag handles to change, the line to move"),
    ("Left drag with a brush", "Add to the body or the chosen mask, or take away from it"),
    ("Middle drag, Shift + left drag", "Move the picture"),
    ("Shift + move", "Crosshair while Shift is held"),
    ("Ctrl + click", "Put the crosshair; all linked panes go there"),
    ("Double click", "Maximise the pane, or show all"),
    ("Ctrl + double click", "Reset the window, take the crosshair away"),
    ("Right click, Menu key", "Menu"),
    ("Drop on a pane", "Open there; with Ctrl, or on the tabs above the panes, in a case of its own"),
)
