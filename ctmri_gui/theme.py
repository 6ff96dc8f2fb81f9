"""Colours, text size and icons: one palette table, one style sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtWidgets import QApplication

from ctmri_core.resources_folder import resources_folder


@dataclass(frozen=True, slots=True)
class Palette:
    """One set of colours. Text on `window`, `panel` and `raised` keeps a contrast of 4.5 to 1 or more."""

    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    selected: str
    warning: str
    error: str
    good: str


PALETTES = {
    "dark": Palette(
        window="#12151a", panel="#191d24", raised="#252b35", border="#343c49", text="#e7eaf0", muted="#a3adbb",
        accent="#58aaff", on_accent="#071322", selected="#224165", warning="#f2b93b", error="#ff8078", good="#4fd19a",
    ),
    "light": Palette(
        window="#eef1f5", panel="#ffffff", raised="#e3e8ee", border="#b9c2ce", text="#17202b", muted="#4d5968",
        accent="#0a5fc0", on_accent="#ffffff", selected="#cfe3fa", warning="#7d5200", error="#ad231b", good="#0f6640",
    ),
}  # fmt: skip

_SHEET = Template("""
QMainWindow, QDialog { background: $window; }
QWidget { color: $text; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }
QMenuBar { background: $panel; border-bottom: 1px solid $border; padding: 2px 6px; }
QMenuBar::item { padding: 4px 10px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected, QMenu::item:selected { background: $selected; }
QMenu { background: $panel; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 28px 5px 24px; border-radius: 4px; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QToolBar { background: $panel; border: none; border-bottom: 1px solid $border; padding: 4px 6px; spacing: 1px; }
QToolBar::separator { width: 1px; background: $border; margin: 4px 5px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 4px 7px; background: transparent; }
QToolButton[role="heading"] { font-weight: 600; padding-left: 0; }
QToolBarExtension { padding: 0; background: $more; }
QToolButton:hover { background: $raised; }
QToolButton:pressed, QToolButton:checked { background: $selected; }
QToolBar QToolButton:checked { border: 1px solid $accent; border-bottom: 3px solid $accent; padding-bottom: 2px; }
QToolBar#viewer_tools QToolButton { padding: 4px 5px; }
QToolBar#viewer_tools QToolButton:checked { padding-bottom: 2px; }
QToolBar#viewer_tools QToolButton[popupMode="1"] { padding-right: ${menu}px; }
QToolButton::menu-button { border: none; width: ${menu}px; }
QToolButton:disabled { color: $muted; }
QStatusBar { background: $panel; border-top: 1px solid $border; }
QStatusBar::item { border: none; }
QMainWindow > QTabBar { font-size: ${tab}px; qproperty-drawBase: 0; }
QMainWindow > QTabBar::tab { padding: 5px 6px; background: $panel; border-bottom: 2px solid $panel; }
QMainWindow > QTabBar::tab:selected { background: $raised; border-bottom-color: $accent; }
QToolBar, QTabBar { icon-size: ${icon}px; }
QTabBar[role="cases"] { background: $panel; }
QTabBar[role="cases"]::tab { padding: 2px 4px 2px 6px; background: $panel; border: 1px solid transparent;
  border-bottom: 3px solid $panel; }
QTabBar[role="cases"]::tab:selected { background: $raised; border-bottom-color: $accent; }
QTabBar[role="cases"]::tab:hover:!selected { background: $window; }
QTabBar[role="cases"]::tab:focus { border-color: $accent; }
QTabBar[role="cases"] QToolButton { padding: 3px; }
QTabWidget[role="views"] QTabBar::tab { padding: 5px 12px; background: $panel; border-bottom: 2px solid $panel; }
QTabWidget[role="views"] QTabBar::tab:selected { background: $raised; border-bottom-color: $accent; }
QMainWindow > QTabBar::tab:focus, QTabWidget[role="views"] QTabBar::tab:focus { background: $selected; }
QFrame[role="dock_title"] { background: $panel; border-top: 1px solid $border; }
QDockWidget > QWidget { background: $panel; }
QMainWindow::separator { background: $window; width: 4px; height: 4px; }
QPushButton { background: $raised; border: 1px solid $border; border-radius: 5px; padding: 6px 14px; }
QPushButton:hover { border-color: $accent; }
QPushButton:pressed { background: $selected; }
QPushButton:disabled { color: $muted; background: transparent; }
QPushButton[primary="true"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[primary="true"]:disabled { background: $raised; color: $muted; border-color: $border; }
QPushButton[role="small"] { padding: 5px 8px; }
QPushButton[role="switch"]:checked { background: $selected; border-color: $accent; border-bottom-width: 3px; }
QPushButton[role="step"] { text-align: left; background: transparent; border-color: transparent; padding: 8px 12px; }
QPushButton[role="step"]:hover { background: $raised; }
QPushButton[role="step"]:checked { background: $selected; border-left: 3px solid $accent; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractItemView:focus,
QPlainTextEdit:focus, QTextBrowser:focus, QSlider:focus, QScrollArea:focus
  { border: 1px solid $accent; }
QLineEdit, QComboBox, QPlainTextEdit, QTextBrowser
  { background: $window; border: 1px solid $border; border-radius: 5px; padding: 4px 8px;
    selection-background-color: $selected; selection-color: $text; placeholder-text-color: $muted; }
QComboBox:disabled, QLineEdit:disabled { color: $muted; background: $panel; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: ${arrow}px; border: none; }
QComboBox::down-arrow { image: url("$down"); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $border; selection-background-color: $selected; }
QAbstractItemView { background: $window; border: 1px solid $border; border-radius: 5px; outline: none; }
QAbstractItemView::item { padding: 5px 6px; border-radius: 4px; }
QAbstractItemView::item:selected { background: $selected; color: $text; }
QHeaderView { background: $panel; }
QHeaderView::section { background: $panel; color: $muted; border: none; border-bottom: 1px solid $border; padding: 4px 8px; }
QTableCornerButton::section { background: $panel; border: none; }
QCheckBox { padding: 3px; border: 1px solid transparent; }
QCheckBox:focus { border: 1px solid $accent; border-radius: 4px; }
QCheckBox::indicator, QTreeView::indicator, QListView::indicator
  { width: 15px; height: 15px; border: 1px solid $muted; border-radius: 3px; background: $window; }
QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked
  { background: $accent; border-color: $accent; image: url("$tick"); }
QRadioButton { padding: 2px; border: 1px solid transparent; }
QRadioButton:focus { border: 1px solid $accent; border-radius: 4px; }
QRadioButton::indicator { width: 13px; height: 13px; border: 1px solid $muted; border-radius: 7px; background: $window; }
QRadioButton::indicator:checked { width: 5px; height: 5px; border: 5px solid $accent; border-radius: 7px; }
QAbstractSpinBox { background: $window; border: 1px solid $border; border-radius: 5px; padding: 3px 2px 3px 6px;
  selection-background-color: $selected; selection-color: $text; }
QAbstractSpinBox:focus { border: 1px solid $accent; }
QAbstractSpinBox:disabled { color: $muted; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button
  { subcontrol-origin: border; width: ${arrow}px; border: none; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $raised; }
QAbstractSpinBox::up-arrow { image: url("$up"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$down"); width: 10px; height: 10px; }
QAbstractSpinBox::up-arrow:off, QAbstractSpinBox::up-arrow:disabled,
QAbstractSpinBox::down-arrow:off, QAbstractSpinBox::down-arrow:disabled { image: none; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QProgressBar { background: $window; border: 1px solid $border; border-radius: 5px; height: 12px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar::handle { background: $border; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 2px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[role="figure"] { font-size: ${figure}px; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="error"] { color: $error; }
QLabel[role="good"] { color: $good; }
QLabel[role="badge"] { color: $warning; border: 1px solid $warning; border-radius: 4px; padding: 1px 8px; font-weight: 600; }
QFrame[role="bar"] { background: $raised; border-bottom: 1px solid $border; border-left: 4px solid $accent; }
QFrame[role="bar"][kind="warning"] { border-left-color: $warning; }
QFrame[role="bar"][kind="error"] { border-left-color: $error; }
QFrame[role="bar"][kind="done"] { border-left-color: $good; }
QFrame[role="card"] { background: $panel; border: 1px solid $border; border-radius: 10px; }
QFrame[role="drop"] { background: transparent; border: 2px dashed $border; border-radius: 14px; }
""")
_SIGNS = {"tick": "done", "up": "step_up", "down": "step_down"}
"""Icons that the style sheet draws itself, in their own colours."""


def apply_theme(app: QApplication, name: str, text_size: int) -> None:
    """Dresses the whole program. `name`: a key of `PALETTES`; `text_size`: px, at least 12."""
    colours = PALETTES[name]
    size = max(text_size, 12)
    app.setProperty("palette_name", name)  # first: who hears of the change draws its icons at once
    app.setStyle("Fusion")
    app.setPalette(_qt_palette(colours))
    font = app.font()
    font.setPixelSize(size)
    app.setFont(font)
    signs = {sign: (resources_folder() / "icons" / f"{name}.svg").as_posix() for sign, name in _SIGNS.items()}
    sizes = {
        "title": round(size * 1.7),
        "figure": round(size * 1.54),
        "icon": icon_side(size),
        "arrow": round(size * 1.4),
        "menu": round(size * 1.2),
        "tab": max(13, round(size * 0.7)),
    }
    more = colours.muted if name == "dark" else colours.border  # Qt draws the arrows of this button in black
    app.setStyleSheet(_SHEET.substitute(asdict(colours), **sizes, **signs, more=more))


def icon_side(text_size: int) -> int:
    """How large an icon beside text of `text_size` is, px."""
    return round(text_size * 1.5)


def current_palette() -> Palette:
    """The colours in use."""
    app = QGuiApplication.instance()
    return PALETTES[(app.property("palette_name") if app is not None else None) or "dark"]


def icon(name: str, colour: str | None = None) -> QIcon:
    """One of `resources/icons` in the text's colour (or `colour`), with a muted form for disabled buttons."""
    colours = current_palette()
    result = QIcon()
    result.addPixmap(_drawn(name, colour or colours.text), QIcon.Mode.Normal)
    result.addPixmap(_drawn(name, colours.border), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """The program's own icon, in its own colours."""
    return QIcon(_drawn("app", "#000000", side=256))


def _drawn(name: str, colour: str, side: int = 64) -> QPixmap:
    """Kept by Qt, because lists ask for their icons at every painting."""
    kept, known = f"ctmri {name} {colour} {side}", QPixmap()
    if QPixmapCache.find(kept, known):
        return known
    from PySide6.QtSvg import QSvgRenderer

    text = (resources_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8").replace("#000000", colour)
    image = QImage(QSize(side, side), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(text.encode())).render(painter)
    painter.end()
    drawn = QPixmap.fromImage(image)
    QPixmapCache.insert(kept, drawn)
    return drawn


def _qt_palette(colours: Palette) -> QPalette:
    """For what the style sheet does not reach: plots, native parts of dialogs, disabled text."""
    roles = {
        QPalette.ColorRole.Window: colours.window,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.window,
        QPalette.ColorRole.AlternateBase: colours.panel,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.Button: colours.raised,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.Highlight: colours.selected,
        QPalette.ColorRole.HighlightedText: colours.text,
        QPalette.ColorRole.ToolTipBase: colours.raised,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.muted,
        QPalette.ColorRole.Link: colours.accent,
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.muted))
    return palette
