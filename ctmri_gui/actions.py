"""The window's commands: one table from which menus, tool bar, tooltips and the shortcut sheet are made."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from ctmri_gui.theme import icon


@dataclass(frozen=True, slots=True)
class Command:
    """`name`: stable; `text`: in the menu; `keys`: portable key sequences; `tip`: one sentence; `short`: on the tool bar."""

    name: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    short: str = ""
    checkable: bool = False


COMMANDS = (
    Command("open_file", "&Open scan…", "Open DICOM, NIfTI, MHA, NRRD, MGZ, pictures or a zip", ("Ctrl+O",), "open_file", "Open"),
    Command("open_folder", "Open &folder…", "Open a folder with a DICOM series", ("Ctrl+Shift+O",), "open_folder", "Folder"),
    Command("open_demo", "Open &demo case", "Open a digital head and translate it", ("Ctrl+D",), "demo", "Demo"),
    Command("open_in_new_case", "Open in &new case…", "Open a scan beside what is open, in a case of its own", ("Ctrl+N",)),
    Command("open_mask", "Open mas&k over the case…", "Show a mask or label map over the pictures", ("Ctrl+M",)),
    Command("next_case", "Ne&xt case", "Show the case that was opened after this one", ("Ctrl+PgDown",)),
    Command("previous_case", "&Previous case", "Show the case that was opened before this one", ("Ctrl+PgUp",)),
    Command("close_case", "&Close case", "Close the scans of this case and stop what is being opened for it", ("Ctrl+W",)),
    Command("close_all_cases", "Close a&ll cases", "Close everything that is open or being opened", ("Ctrl+Shift+W",)),
    Command("save", "&Save image as…", "Save an image as NIfTI, MHA, NRRD, PNG slices or DICOM", ("Ctrl+S",), "save", "Save"),
    Command("export_dicom", "&Export DICOM series…", "Save as a derived DICOM series", ("Ctrl+E",), "export", "DICOM"),
    Command("screenshot", "Save pi&cture…", "Save what the panes show as PNG", ("Ctrl+Shift+S",), "camera", "Picture"),
    Command("film", "Save fil&m or grid…", "Save a film (GIF, MP4) or a grid of slices", ("Ctrl+Shift+F",), "film", "Film"),
    Command("copy_picture", "Copy &picture", "Copy what the panes show to the clipboard", ("Ctrl+C",)),
    Command("cine", "&Cine", "Play the slices, or pause; the wheel or a click pauses too", ("C",), "play", checkable=True),
    Command("forget_recent", "&Forget recent scans", "Forget which scans were opened and where"),
    Command("quit", "&Quit", "End the program; running work is stopped cleanly", ("Ctrl+Q",)),
    Command("undo", "&Undo", "Take back the last change of window, layout or annotation", ("Ctrl+Z",)),
    Command("redo", "&Redo", "Do again what was taken back", ("Ctrl+Y", "Ctrl+Shift+Z")),
    Command("translate", "&Translate", "Make the synthetic image with the chosen model", ("Ctrl+T",), "translate"),
    Command("compare_models", "Compare &models", "Translate with all ticked models, shown side by side", ("Ctrl+Shift+M",)),
    Command("drop_models", "Close c&ompared models", "Let go of what the further models made of this scan"),
    Command("align", "Ali&gn ground truth", "Register the ground truth to the source, to look at and accept", ("Ctrl+G",)),
    Command("align_by_hand", "Align by &hand", "Move and turn the ground truth with fields and arrow keys", ("Ctrl+Shift+G",)),
    Command("load_transform", "Align by a &file…", "Lay the ground truth as a transform file of ITK says"),
    Command("translate_folder", "Translate a &folder…", "Translate many scans, or watch a folder for what arrives", ("Ctrl+B",)),
    Command("cancel", "&Cancel translation", "Stop the running translation", ("Ctrl+.",), "stop", "Cancel"),
    Command("prepare", "&Prepare data…", "Look at scans, register pairs, and make slices to learn from", ("Ctrl+P",)),
    Command("train", "T&rain a model…", "Train a model of your own, watch it, compare runs", ("Ctrl+Shift+T",), "train", "Train"),
    Command("evaluate", "E&valuate models…", "Scores of models on patients, tests between them, each case", ("Ctrl+Shift+E",)),
    Command("new_study", "&New study…", "Set up a reader study: can readers tell synthetic from real?", ("Ctrl+Shift+R",)),
    Command("open_study", "&Open study…", "Follow, close, analyse a reader study; places that readers flagged"),
    Command("rehearse_study", "&Rehearsal…", "A reader study of digital heads with simulated readers, in three minutes"),
    Command("add_model", "&Add model…", "Add a model file: .safetensors, or .pth, .ckpt, .onnx of others", (), "add"),
    Command("worst_slice", "&Worst slice", "Show the slice in which synthetic and truth are least alike", ("Ctrl+K",)),
    Command("go_translation", "Go to &translation", "Keys go to the models; Esc leads back to the pictures", ("F2",)),
    Command("go_metrics", "Go to &metrics", "Keys go to the metrics; Esc leads back to the pictures", ("F3",)),
    Command("go_measurements", "Go to m&easurements", "Keys go to the measurements; Esc leads back to the pictures", ("F4",)),
    Command("go_images", "Go to &images", "Keys go to the list of images; Esc leads back to the pictures", ("F5",)),
    Command("jobs", "&Jobs tray", "What runs, how far it is, and a way to stop it", ("Ctrl+J",)),
    Command("arrange_docks", "Panels as at &first", "Put the panels beside the pictures back as they were at first"),
    Command("header", "&Header…", "What the header of an opened file says; patient data stay hidden", ("Ctrl+I",)),
    Command("full_screen", "F&ull screen", "Use the whole screen", ("F11",), "full_screen", checkable=True),
    Command("settings", "&Settings…", "Colours, text size, what happens on opening", ("Ctrl+,",), "settings"),
    Command("shortcuts", "&Keys and mouse", "What every key and mouse gesture does", ("?", "F1"), "keys"),
    Command("change_keys", "Change &keys…", "Choose the keys of any command"),
    Command("about", "&About CT-MRI Studio", "Versions, licences, device and log", (), "info"),
)


def make_actions(parent: QObject) -> dict[str, QAction]:
    """A `QAction` for each command, by name."""
    return {command.name: _make(command, parent) for command in COMMANDS}


def with_keys(tip: str, keys: tuple[str, ...]) -> str:
    """`Open a scan (Ctrl+O)`."""
    return f"{tip} ({keys_text(keys)})" if keys else tip


def keys_text(keys: tuple[str, ...]) -> str:
    """As this platform writes them: `Ctrl+O or F3`."""
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys)


def _make(command: Command, parent: QObject) -> QAction:
    action = QAction(command.text, parent)
    action.setObjectName(command.name)
    action.setToolTip(with_keys(command.tip, command.keys))
    action.setStatusTip(command.tip)
    action.setShortcuts([QKeySequence(key) for key in command.keys])
    action.setCheckable(command.checkable)
    if command.short:
        action.setIconText(command.short)
    if command.icon:
        action.setIcon(icon(command.icon))
    return action
