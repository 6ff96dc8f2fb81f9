"""A method of another package: found, trained, exported and used, without a line of ours being changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

METHOD = '''
from pydantic import Field
from torch import nn

from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.translators import OneWay


class GreyConfig(MethodConfig):
    """Settings of Grey curve."""

    width: int = Field(default=8, ge=1, le=64, description="how many bends the curve may have")


class GreyCurve(OneWay):
    def __init__(self, config, direction):
        super().__init__(direction)
        self.networks = {"generator": self.build_generator(config, direction)}
        self.optimised = {"generator": ("generator",)}

    @staticmethod
    def build_generator(config, direction):
        return nn.Sequential(nn.Conv2d(1, config.width, 1), nn.ReLU(), nn.Conv2d(config.width, 1, 1), nn.Tanh())

    def training_step(self, batch, update):
        loss = l1_loss(self.networks["generator"](batch[self.source]), batch[self.target])
        update("generator", loss)
        return {"l1": loss.detach()}


CARD = MethodCard(
    name="grey_curve", title="Grey curve", citation="Nobody 2026, Eq. 1", summary="One curve for all greys.", needs="paired",
    config=GreyConfig, implementation="grey_curve:GreyCurve",
)
'''


def install(folder: Path, name: str, code: str, entry: str) -> dict[str, str]:
    """A distribution that brings a module and names an entry point; the environment in which it is found."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ctmri.methods]\n{name} = {entry}\n")
    return {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}


def ctmri(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ctmri_core.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_method_of_another_package_goes_all_the_way(tmp_path: Path):
    environment = install(tmp_path, "grey_curve", METHOD, "grey_curve:CARD")
    assert "how many bends" in ctmri(environment, "train", "grey_curve", "--help").stdout
    run = tmp_path / "run"
    words = "--data phantom:1 --validation-share 0 --direction ct_to_mr_t1 --iterations 2 --crop 32 --spacing-mm 4 --width 3"
    words += " --no-tensorboard --device cpu"
    trained = ctmri(environment, "train", "grey_curve", "--run", str(run), *words.split())
    assert trained.returncode == 0, trained.stderr
    model = run / "models" / "grey_curve-ct_to_mr_t1-last.safetensors"
    code = (
        "import sys; from ctmri_core.model_file import load_model; m = load_model(sys.argv[1]);"
        "assert m.card.config['width'] == 3 and m.generator[0].out_channels == 3"
    )
    subprocess.run([sys.executable, "-c", code, str(model)], env=environment, check=True)
    without = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=False)
    assert "which this installation does not have" in without.stderr


BROKEN = {
    "lacks_another": ("import no_such_module", "No module named 'no_such_module'"),
    "no_card": ("CARD = 5", "no_card:CARD is of type int, not MethodCard"),
    "same_name": ("from ctmri_core.methods.pix2pix.card import CARD", "there is a method called pix2pix already"),
    "empty": ("", "has no attribute 'CARD'"),
    "unfinished": ("def CARD(", "was never closed"),
    "no_import": ("CARD = MethodCard()", "name 'MethodCard' is not defined"),
}
"""Package -> its code and what is to be said of it."""


def test_packages_that_bring_no_method_are_left_out_and_named(tmp_path: Path):
    for name, (code, _) in BROKEN.items():
        environment = install(tmp_path, name, code, f"{name}:CARD")
    told = " ".join(ctmri(environment, "train", "--help").stdout.split())
    assert "pix2pix" in told
    for name, (_, says) in BROKEN.items():
        assert f"The method {name} of the package {name} is left out: " in told and says in told
    asked = "from ctmri_core.registry import find_card; find_card('empty')"
    answer = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert "There is no method called 'empty'" in answer.stderr and "is left out" in answer.stderr


def test_a_method_whose_code_is_broken_is_refused_in_words(tmp_path: Path):
    card = METHOD.replace("grey_curve:GreyCurve", "grey_curve:GreyCurb")
    environment = install(tmp_path, "grey_curve", card, "grey_curve:CARD")
    asked = "from ctmri_core.registry import load_method; load_method('grey_curve')"
    answer = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False)
    last = answer.stderr.splitlines()[-1]
    assert "CtmriError: The method grey_curve cannot be loaded from grey_curve: " in last and "GreyCurb" in last
