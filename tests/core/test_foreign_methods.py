"""A method of another package: found, trained, exported and used, without a line of ours being changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("CARD = 5", "wrong_one:CARD is of type int, not MethodCard"),
        ("from ctmri_core.methods.pix2pix.card import CARD", "there is a method called pix2pix already"),
        ("", "has no attribute 'CARD'"),
    ],
)
def test_a_package_that_brings_no_method_is_left_out_and_named(tmp_path: Path, code: str, says: str):
    environment = install(tmp_path, "wrong_one", code, "wrong_one:CARD")
    told = " ".join(ctmri(environment, "train", "--help").stdout.split())
    assert "pix2pix" in told and "The method wrong_one of the package wrong_one is left out: " in told and says in told
    asked = "from ctmri_core.registry import find_card; find_card('wrong_one')"
    answer = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert "There is no method called 'wrong_one'" in answer.stderr and "is left out" in answer.stderr
