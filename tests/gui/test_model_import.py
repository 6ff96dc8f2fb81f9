"""Dropping another program's model on the window: it is looked into, asked about, and used."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QComboBox, QLineEdit
from torch import nn

from ctmri_core.exchange.import_card import Question
from ctmri_core.model_card import read_card
from ctmri_core.preprocess.mr_standard import MrScaling, NyulScale
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import validated_config
from ctmri_gui.models.card_fields import CHOOSE, MISSING
from ctmri_gui.models.import_dialog import ImportDialog
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume
from tests.gui.test_dialog_sizes import assert_readable

WAIT = 30_000


def colour_checkpoint(path):
    """The published ResNet generator for colours, 4 channels wide: names, shapes and nothing else."""
    state = OrderedDict()

    def layer(name, *shape, bias):
        state[f"module.model.{name}.weight"] = torch.randn(*shape) * 0.1
        state[f"module.model.{name}.bias"] = torch.zeros(bias)

    layer("1", 4, 3, 7, 7, bias=4), layer("4", 8, 4, 3, 3, bias=8), layer("7", 16, 8, 3, 3, bias=16)
    for block in range(9):
        for part in (1, 5):
            layer(f"{10 + block}.conv_block.{part}", 16, 16, 3, 3, bias=16)
    layer("19", 16, 8, 3, 3, bias=8), layer("22", 8, 4, 3, 3, bias=4), layer("26", 3, 4, 7, 7, bias=3)
    torch.save(state, path)
    return path


def dialog_of(window, qtbot):
    qtbot.waitUntil(lambda: bool(window.findChildren(ImportDialog)), timeout=WAIT)
    return window.findChildren(ImportDialog)[0]


def choose(field, text):
    field.setCurrentIndex(next(n for n in range(field.count()) if field.itemText(n) == text))


def test_a_dropped_checkpoint_is_asked_about_added_and_translates(make_window, qtbot, tmp_path):
    window = make_window()
    window.session.open_paths([colour_checkpoint(tmp_path / "latest_net_G_A.pth")])
    dialog = dialog_of(window, qtbot)
    fields = dialog.fields
    assert fields["channels"].widget.currentText() == "The one slice in each"  # what such models need, and can be changed
    assert fields["output"].widget.currentText() == "The mean of all"
    (scaling,) = fields["recipe.mr"].widget.findChildren(QComboBox)
    assert scaling.currentText() == CHOOSE and not dialog.add.isEnabled()
    assert dialog.problem.text() == (
        "Still needed: Direction, Body region, Licence of the weights, Pixel size (mm), CT values (HU), MR values."
    )
    source, target = fields["direction"].widget.children()[1:]
    choose(source, "CT"), choose(target, "T1 MR")
    fields["body_region"].widget.setCurrentText("head")
    fields["licence"].widget.setText("BSD-2-Clause")
    fields["recipe.spacing_mm"].widget.setCurrentText("2")
    low, high = fields["recipe.ct"].widget.children()[1:]
    low.setText("\N{MINUS SIGN}1000"), high.setText("1000")
    choose(scaling, "Lowest to highest value in the body")
    assert dialog.add.isEnabled(), dialog.problem.text()
    low.setText("4000")
    assert not dialog.add.isEnabled() and "high must be" in dialog.problem.text()
    low.setText("-1000")
    dialog.add.click()
    library = window.session.library
    qtbot.waitUntil(lambda: library.chosen is not None, timeout=WAIT)
    card = read_card(tmp_path / "models" / "latest_net_G_A.safetensors")
    assert library.chosen.card == card and str(card.direction) == "ct_to_mr_t1" and card.recipe.spacing_mm == 2
    assert (card.recipe.ct.low, card.recipe.mr.kind, card.origin.licence) == (-1000, "min_max", "BSD-2-Clause")
    assert validated_config(card).channels == "copies"
    window.session.place(make_volume(), Role.SOURCE)
    window.session.translate()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SYNTHETIC] is not None, timeout=WAIT)
    assert window.session.volumes[Role.SYNTHETIC].synthetic.model_name == "latest_net_G_A"


def test_a_pickled_network_is_refused_with_the_way_out(make_window, qtbot, tmp_path):
    window = make_window()
    torch.save(nn.Conv2d(1, 1, 3), tmp_path / "netG_model_epoch_150.pth")
    window.session.open_paths([tmp_path / "netG_model_epoch_150.pth"])
    qtbot.waitUntil(lambda: any("torch.nn.modules.conv.Conv2d" in text for text in window.messages.texts), timeout=WAIT)
    assert any("state_dict" in text for text in window.messages.texts) and not window.findChildren(ImportDialog)


def found_model(tmp_path):
    """As `look` answers for a UNIT of unknown size; the dialog asks it no more than this."""
    questions = (
        Question(
            "part", "which of the networks in the file",
            (("a_to_b", "UNIT (encoder of one domain, decoder of the other)"), ("b_to_a", "UNIT")),
        ),
        Question(
            "statistics", "how its norms and dropout were run",
            (("training", "norms by what was counted in training"), ("picture", "p")), "training",
        ),
        Question("input_range", "values it is shown"), Question("wanted", "place of the target among its domains, from 0"),
        Question("recipe.multiple", "what its picture edges are multiples of"), Question("body_region", "the part of the body"),
        Question("licence", "under which licence its weights are"),
    )  # fmt: skip
    return SimpleNamespace(
        path=tmp_path / "a_rather_long_name_of_a_checkpoint_file_gen_01000000.pt", title="2 networks: UNIT", questions=questions,
        facts=("1 channel in, 1 out", "Recognised by the names and shapes of its 48 weights as UNIT."),
        completed=lambda table: table,
    )  # fmt: skip


@pytest.mark.parametrize("size", [13, 24])
def test_the_form_can_be_read_whole(qtbot, dressed, tmp_path, size):
    dressed("dark", size)
    dialog = ImportDialog(found_model(tmp_path), {})
    qtbot.addWidget(dialog)
    dialog.show()
    assert_readable(qtbot, dialog)
    assert all(len(field.widget.toolTip()) > len(field.title) for field in dialog.fields.values())  # each says what it means
    dialog.close()


def test_every_scaling_of_mr_can_be_chosen_and_learnt_ones_come_with_a_card(qtbot, tmp_path):
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(MrScaling)}
    told = {"kind": "nyul", "standard": list(NyulScale().learnt([np.arange(11.0) ** 2]).standard)}
    dialog = ImportDialog(found_model(tmp_path), {"direction": "mr_t1_to_ct", "recipe": {"mr": told}})
    qtbot.addWidget(dialog)
    dialog.show()
    field = dialog.fields["recipe.mr"]
    assert field.value() == told and not [line for line in field.widget.findChildren(QLineEdit) if line.isVisible()]
    (box,) = field.widget.findChildren(QComboBox)
    offered = {box.itemData(row) for row in range(1, box.count())}
    assert offered == kinds - {"histogram"}, "whose landmarks nobody can type in"
    box.setCurrentIndex(box.findData("window"))
    low, high, gamma = (line for line in field.widget.findChildren(QLineEdit) if line.isVisible())
    assert field.value() is MISSING and gamma.text() == "1" and not dialog.add.isEnabled()
    low.setText("10")
    high.setText("650,5")
    assert field.value() == {"kind": "window", "low": 10, "high": 650.5, "gamma": 1}
    for row in range(1, box.count()):
        box.setCurrentIndex(row)
        Recipe.model_validate({"mr": field.value()})
    dialog.close()


def test_what_a_card_says_is_filled_in_and_what_is_not_asked_is_kept(qtbot, tmp_path):
    known = {
        "name": "From a card", "direction": "mr_t1_to_mr_t2", "body_region": "pelvis", "licence": "MIT", "part": "b_to_a",
        "input_range": [-2.5, 2.5], "wanted": 1, "limitations": "none known", "statistics": "picture",
        "recipe": {"spacing_mm": None, "multiple": 16, "mr": {"kind": "z_score", "reach": 2.5}, "only_body": True},
    }  # fmt: skip
    dialog = ImportDialog(found_model(tmp_path), known)
    qtbot.addWidget(dialog)
    assert dialog.table == {**known, "recipe": {**known["recipe"], "planes": "axial"}} and dialog.add.isEnabled()
    assert dialog.fields["recipe.ct"].widget.isHidden()
