"""The parts of a pane's menu that say how it compares, with what, and what lies over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from ctmri_gui.viewer.compare.colour_maps import MAPS
from ctmri_gui.viewer.compare.compare_model import CompareModel
from ctmri_gui.viewer.compare.mask_model import MaskModel, MaskStyle
from ctmri_gui.viewer.compare.modes import CHECKER_SIZES_MM, Mode

_NOTHING = "Translate, or open a second scan, to compare this pane"


def compare_menu(parent: QMenu, model: CompareModel, pane: str) -> QMenu:
    """Of one pane; without another volume there is nothing in it that can be chosen."""
    menu = QMenu("Compare", parent)
    menu.setEnabled(model.partner(pane) is not None)
    fill_choices(menu, model, pane)
    return menu


def fill_choices(menu: QMenu, model: CompareModel, pane: str) -> None:
    """Ways of comparing, with what, and what goes with the way in use; what to do where there is nothing to compare."""
    compare, other = model.of(pane), model.partner(pane)
    if other is None:
        menu.addAction(_NOTHING).setEnabled(False)
        return
    _choice(menu, [(mode.label, mode is compare.mode, partial(model.set_mode, pane, mode)) for mode in Mode])
    _choice(menu, [(f"With: {role.label}", role is other, partial(model.set_other, pane, role)) for role in model.partners(pane)])
    if compare.mode is Mode.WIPE:
        turns = (("Line from top to bottom", True), ("Line from left to right", False))
        _choice(menu, [(words, compare.upright is up, partial(model.set_upright, pane, up)) for words, up in turns])
    elif compare.mode is Mode.CHECKER:
        sizes = [
            (f"Squares of {size:g} mm", size == compare.checker_mm, partial(model.set_checker, pane, size))
            for size in CHECKER_SIZES_MM
        ]
        _choice(menu, sizes)
    elif compare.mode is Mode.DIFFERENCE:
        _choice(menu, [(words, name == model.colours, partial(model.set_colours, name)) for name, words in MAPS.items()])
        menu.addSeparator()
        menu.addAction("Reset the scale").triggered.connect(_without_argument(model.reset_limits))


def mask_menu(parent: QMenu, model: MaskModel) -> QMenu:
    """What lies over all panes."""
    menu = QMenu("Masks", parent)
    menu.setEnabled(bool(model.masks))
    for mask in model.masks:
        action = menu.addAction(mask.map.name)
        action.setCheckable(True)
        action.setChecked(mask.visible)
        action.triggered.connect(partial(model.set_mask_visible, mask.map.name))
    _choice(menu, [(style.value, style is model.style, partial(model.set_style, style)) for style in MaskStyle])
    menu.addSeparator()
    for name in [mask.map.name for mask in model.masks]:
        menu.addAction(f"Take away: {name}").triggered.connect(_without_argument(partial(model.take_away, name)))
    return menu


def _choice(menu: QMenu, rows: Sequence[tuple[str, bool, Callable[[], None]]]) -> None:
    """One of several, below a line."""
    menu.addSeparator()
    group = QActionGroup(menu)
    for text, chosen, choose in rows:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(chosen)
        action.triggered.connect(_without_argument(choose))
        group.addAction(action)


def _without_argument(function: Callable[[], None]) -> Callable[..., None]:
    """`triggered` hands on a checked flag that nobody wants."""
    return lambda *_: function()
