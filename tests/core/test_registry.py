"""Methods are found, named, and become flags, without torch."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import torch

from ctmri_core.config_flags import add_config_arguments, config_from_arguments, validated
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError, ModelRefused
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.model_card import ModelCard
from ctmri_core.registry import build_generator, find_card, load_method, method_cards
from ctmri_core.training.settings import TrainingSettings

DIRECTION = Direction.parse("ct_to_mr_t1")


def test_cards_flags_and_settings_are_read_without_torch():
    code = (
        "import sys; from ctmri_core.registry import method_cards; import ctmri_core.training.settings, ctmri_core.config_flags;"
        "assert 'pix2pix' in method_cards(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_method_names_the_nearest():
    assert find_card("pix2pix") is method_cards()["pix2pix"]
    with pytest.raises(CtmriError, match="Did you mean pix2pix"):
        find_card("pixpix")


def _card(**config) -> ModelCard:
    now = datetime.now(UTC)
    return ModelCard(name="m", method="pix2pix", config=config, direction=DIRECTION, body_region="head", created=now)


def test_a_generator_is_built_from_a_card_without_memory():
    with torch.device("meta"):
        generator = build_generator(_card(generator="resnet_9", width=64, norm="instance", dropout=False))
    parameters = list(generator.parameters())
    assert all(parameter.is_meta for parameter in parameters)
    assert sum(parameter.numel() for parameter in parameters) == 11_365_633  # published count, one channel
    method = load_method("pix2pix")(Pix2PixConfig(width=4), DIRECTION)
    assert build_generator(_card(width=4)).state_dict().keys() == method.generator(DIRECTION).state_dict().keys()


@pytest.mark.parametrize(
    ("config", "words"), [({"width": 10**9}, "width"), ({"wdith": 4}, "wdith"), ({"generator": "vit"}, "generator")]
)
def test_a_card_with_wrong_settings_is_refused_naming_the_field(config, words):
    with pytest.raises(ModelRefused, match=words):
        build_generator(_card(**config))


def test_a_model_file_whose_settings_lack_its_own_contrasts_is_refused():
    card = _card(domains="ct,mr_t2").model_copy(update={"method": "stargan"})
    with pytest.raises(ModelRefused, match=r"settings of m do not fit stargan: .*mr_t1"):
        build_generator(card)


def test_a_card_of_an_unknown_method_is_refused():
    with pytest.raises(ModelRefused, match="does not have"):
        build_generator(_card().model_copy(update={"method": "magic"}))


def _parser(config_type) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_config_arguments(parser, config_type)
    return parser


def test_every_field_is_a_flag_with_its_default_and_bounds_in_the_help():
    help_text = " ".join(_parser(Pix2PixConfig).format_help().split())
    for name, field in Pix2PixConfig.model_fields.items():
        assert "--" + name.replace("_", "-") in help_text and field.description in help_text
    for words in ("{unet_256,resnet_9,resnet_6,plain_unet}", "(default: 100.0)", "at most 10000"):
        assert words in help_text


def test_flags_become_a_config_and_what_is_not_given_stays_default():
    words = ["--generator", "resnet_6", "--no-dropout", "--receptive-field", "16", "--lambda-l1", "12.5"]
    config = config_from_arguments(_parser(Pix2PixConfig).parse_args(words), Pix2PixConfig)
    assert config == Pix2PixConfig(generator="resnet_6", dropout=False, receptive_field=16, lambda_l1=12.5)
    base = Pix2PixConfig(width=8)
    over = config_from_arguments(_parser(Pix2PixConfig).parse_args(["--norm", "instance"]), Pix2PixConfig, base)
    assert over == Pix2PixConfig(width=8, norm="instance")
    settings = config_from_arguments(_parser(TrainingSettings).parse_args(["--minutes", "2.5"]), TrainingSettings)
    assert settings.minutes == 2.5 and settings.epochs is None and TrainingSettings().minutes is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--generator resnet9", "Did you mean resnet_9?"),
        ("--width 1000", "at most 256"),
        ("--width many", "no whole number"),
        ("--receptive-field 71", "70"),
    ],
)
def test_a_wrong_value_says_what_is_right(words: str, told: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        _parser(Pix2PixConfig).parse_args(words.split())
    assert told in capsys.readouterr().err


def test_values_that_do_not_go_together_or_do_not_exist_are_named():
    arguments = _parser(TrainingSettings).parse_args(["--epochs", "2", "--minutes", "3"])
    with pytest.raises(CtmriError, match="only one of --epochs"):
        config_from_arguments(arguments, TrainingSettings)
    with pytest.raises(CtmriError, match="Did you mean lambda_l1"):
        validated(Pix2PixConfig, {"lambda_11": 3})
