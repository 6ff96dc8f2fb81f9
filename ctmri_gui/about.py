"""Versions, licences, the device and where the log is."""

from __future__ import annotations

import html
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

import ctmri_core
from ctmri_gui.logs import log_file
from ctmri_gui.panels.small_parts import resize_dialog

_PARTS = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"),
    ("scikit-image", "BSD-3-Clause"),
    ("numba", "BSD-2-Clause"),
    ("SimpleITK", "Apache-2.0"),
    ("pydicom", "MIT"),
    ("nibabel", "MIT"),
    ("torch", "BSD-3-Clause"),
    ("lightning-fabric", "Apache-2.0"),
    ("safetensors", "Apache-2.0"),
    ("onnxruntime", "MIT"),
    ("onnx", "Apache-2.0"),
    ("onnxscript", "MIT"),
    ("matplotlib", "PSF-based"),
    ("reportlab", "BSD-3-Clause"),
    ("cryptography", "Apache-2.0 or BSD-3-Clause"),
    ("pydantic", "MIT"),
    ("platformdirs", "MIT"),
    ("pillow", "MIT-CMU"),
    ("pyqtgraph", "MIT"),
    ("monai", "Apache-2.0"),
    ("tensorboard", "Apache-2.0"),
    ("psutil", "BSD-3-Clause"),
    ("wakepy", "MIT"),
    ("imageio-ffmpeg", "BSD-2-Clause; starts ffmpeg, a program of its own under GPL or LGPL"),
)
_DEVICE = "Translation runs on"


def facts() -> tuple[tuple[str, str], ...]:
    """(name, value) of what a bug report needs; nothing that names a person."""
    import psutil  # here, so that the window shows without it

    memory = psutil.virtual_memory()
    return (
        ("CT-MRI Studio", ctmri_core.__version__),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("Processor", f"{os.cpu_count()} cores, {memory.total / 2**30:.0f} GiB of memory"),
        ("Log", str(log_file())),
    )


class AboutDialog(QDialog):
    """What this program is. `show_device` takes what is learnt later: it is asked in the background."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About CT-MRI Studio")
        resize_dialog(self, 620, 560)
        self._facts = dict(facts()) | {_DEVICE: "not loaded yet; that happens with the first translation"}
        self.text = QTextBrowser()
        self.text.setAccessibleName("About")
        self.text.setOpenLinks(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy facts", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.plain))
        show_log = buttons.addButton("Open log folder", QDialogButtonBox.ButtonRole.ActionRole)
        show_log.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_file().parent))))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self._show()

    @property
    def plain(self) -> str:
        """The facts as text, for a bug report."""
        known = self._facts | {part: _version(part) for part, _ in _PARTS}
        return "\n".join(f"{name}: {value}" for name, value in known.items())

    def show_device(self, device: str) -> None:
        """What translation runs on, in words."""
        self._facts[_DEVICE] = device
        self._show()

    @property
    def _terms(self) -> str:
        """Of the models that came with the program and may not be used commercially; nothing where there are none."""
        from ctmri_core.model_card.terms import shipped_terms  # loads much, and the window is to stand before

        texts = "".join(f"<pre style='white-space: pre-wrap'>{html.escape(text)}</pre>" for text in shipped_terms().values())
        told = "<p>Models under <i>models/noncommercial</i> are not under Apache-2.0. Settings hide them.</p>"
        return f"<h3>Models for non-commercial use</h3>{told}{texts}" if texts else ""

    def _show(self) -> None:
        rows = "".join(_row(name, value) for name, value in self._facts.items())
        parts = "".join(_row(part, f"{_version(part)} · {licence}") for part, licence in _PARTS)
        self.text.setHtml(
            "<h2>CT-MRI Studio</h2>"
            "<p>See, make and judge synthetic MRI and CT. For research only: it is no medical device, and synthetic images are "
            "not for diagnosis.</p>"
            "<p>Licensed under Apache-2.0. Qt and PySide6 are used under the LGPL-3.0 and can be replaced by your own build. "
            "The program makes no network connection.</p>"
            f"<table cellspacing=4>{rows}</table>{self._terms}<h3>Built on</h3><table cellspacing=4>{parts}</table>"
        )


def _row(name: str, value: str) -> str:
    return f"<tr><td width=200><b>{html.escape(name)}</b></td><td>{html.escape(value)}</td></tr>"


def _version(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "absent"
