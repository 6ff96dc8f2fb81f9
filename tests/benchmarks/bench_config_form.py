"""How long a form of a run's settings takes to be made, beside one with every group open. Prints processor time in ms."""

from __future__ import annotations

import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from ctmri_core.registry import find_card
from ctmri_gui.theme import apply_theme
from ctmri_gui.training.new_run.config_form import ConfigForm
from ctmri_gui.training.new_run.field_words import run_fields

ROUNDS = 10


def main() -> None:
    app = QApplication([])
    apply_theme(app, "dark", 13)
    fields = run_fields(find_card("pix2pix"))
    for title, changed in (("as it opens", {}), ("every group open", {field.name: None for field in fields})):
        best = min(_made(app, fields, changed) for _ in range(ROUNDS))
        print(f"{len(fields)} settings, {title}: {best * 1e3:.0f} ms")


def _made(app, fields, changed) -> float:
    begun = time.process_time()
    form = ConfigForm(fields, {}, scrolls=True)
    for name in changed:
        form.editor(name)
    form.resize(700, 800)
    form.show()
    app.processEvents()
    taken = time.process_time() - begun
    form.close()
    return taken


if __name__ == "__main__":
    main()
