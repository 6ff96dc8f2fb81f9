"""`ctmri train`: settings from the method's authors, a file and flags, in that order of strength."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ctmri_core.cli import main
from ctmri_core.cli.terminal import _progress_text
from ctmri_core.config_flags import validated
from ctmri_core.errors import CtmriError
from ctmri_core.events import Step, from_json
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.registry import method_cards
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings, settings_for

PLACE = ["--data", "phantom:2", "--direction", "ct_to_mr_t1"]
NORTH = '{"data": "phantom:2", "direction": "north"}'
TINY = ["--generator", "resnet_6", "--width", "4", "--discriminator-width", "4", "--receptive-field", "16", "--device", "cpu"]


def saved(tmp_path: Path, *words: str) -> dict:
    file = tmp_path / "saved.json"
    assert main(["train", *words, "--save-config", str(file)]) == 0
    return json.loads(file.read_text())


def test_what_the_authors_chose_stands_unless_the_user_says_otherwise(tmp_path: Path):
    chosen = saved(tmp_path, "stargan", *PLACE)["settings"]
    assert (chosen["batch_size"], chosen["schedule"]) == tuple(
        {**TrainingSettings().model_dump(), **method_cards()["stargan"].settings}[name] for name in ("batch_size", "schedule")
    )
    chosen = saved(tmp_path, "stargan", *PLACE, "--batch-size", "2", "--schedule", "poly")["settings"]
    assert (chosen["batch_size"], chosen["schedule"]) == (2, "poly")


def test_every_method_s_settings_are_settings():
    for card in method_cards().values():
        assert settings_for(card, {}).model_dump().items() >= dict(card.settings).items(), card.name


def test_a_length_of_the_user_s_replaces_the_authors():
    card = MethodCard("m", "M", "c", "s", "paired", MethodConfig, "x:Y", {"epochs": 100, "batch_size": 3})
    assert settings_for(card, {}).epochs == 100
    given = settings_for(card, {"until": "7:00"})
    assert (given.epochs, given.until, given.batch_size) == (None, "7:00", 3)
    with pytest.raises(CtmriError, match="only one of"):
        validated(TrainingSettings, {"epochs": 1, "minutes": 1})


def test_help_shows_what_the_method_starts_with(capsys):
    with pytest.raises(SystemExit):
        main(["train", "stargan", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    batch = method_cards()["stargan"].settings["batch_size"]
    assert f"slices per step, on all devices together; at least 1 and at most 1024 (default: {batch})" in shown


def test_flags_over_the_file_over_the_defaults(tmp_path: Path, capsys):
    first = saved(tmp_path, "pix2pix", *PLACE, *TINY, "--epochs", "7", "--name", "mine")
    file = tmp_path / "saved.json"
    second = saved(tmp_path, "pix2pix", "--config", str(file), "--width", "8", "--iterations", "5")
    assert second["config"] == {**first["config"], "width": 8} and second["about"] == first["about"]
    assert second["settings"] == {**first["settings"], "epochs": None, "iterations": 5}
    assert (second["data"], second["direction"]) == ("phantom:2", "ct_to_mr_t1")
    capsys.readouterr()


def test_a_run_s_own_config_starts_another(tmp_path: Path, capsys, one_thread: None):
    flags = [*PLACE, *TINY, "--crop", "32", "--spacing-mm", "5", "--iterations", "1", "--no-tensorboard", "--precision", "32"]
    assert main(["train", "pix2pix", "--run", str(tmp_path / "a"), *flags, "--validation-slices", "1"]) == 0
    config = str(tmp_path / "a" / "config.json")
    assert main(["train", "pix2pix", "--run", str(tmp_path / "b"), "--config", config]) == 0
    one, other = (RunFolder(tmp_path / name) for name in "ab")
    assert one.read_config() == other.read_config()
    name = "models/pix2pix-ct_to_mr_t1-last.safetensors"
    assert (tmp_path / "a" / name).stat().st_size == (tmp_path / "b" / name).stat().st_size
    capsys.readouterr()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "cannot be read"), ("[]", "does not hold settings"), ('{"setings": {}}', "Did you mean settings"),
        ('{"settings": {"bach_size": 1}}', "Did you mean batch_size"), ('{"config": {"widht": 4}}', "Did you mean width"),
        ('{"method": "cyclegan"}', "settings of cyclegan, not of pix2pix"), (NORTH, "no direction"),
        ('{"settings": {"batch_size": 0}}', "--batch-size: 0 is no whole number"), ("{}", "give --data"),
        ("[" * 100_000, "cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, capsys, content: str, words: str):
    file = tmp_path / "wrong.json"
    file.write_text(content)
    place = [] if content in ("{}", NORTH) else PLACE
    try:
        status = main(["train", "pix2pix", "--run", str(tmp_path / "run"), "--config", str(file), *place])
    except SystemExit as end:
        status = end.code
    told = capsys.readouterr().err
    assert status in (1, 2) and words in told and "please report" not in told
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize(("words", "told"), [
    ((*PLACE,), "--run is needed"), (("--run", "x", "--batchsize", "2", *PLACE), "--batch-size"),
    (("--run", "x", "--schedule", "plato", *PLACE), "plateau"), (("--run", "x", "--until", "25:00", *PLACE), "--until"),
    (("--run", "x", "--resume", "--config", "y"), "leave out --config"),
    (("--run", "x", "--until", "7", *PLACE), "this time of day, like 7:00"),
    (("--run", "x", "--epoch", "2", *PLACE), "--epochs?"), (("--run", "x", *PLACE, "words"), "need quotes"),
    (("--run", "x", "--lambda-cycle", "2", *PLACE), "It is a setting of aggan, "),
    (("--run", "x", "--epochs", "1", "--minutes", "1", *PLACE), "only one of"), (("--run", "x", "--data", ""), "name is empty"),
    (("--run", "x", "--data", "phantom:2", "--direction", "ct_to_mrt1"), "Did you mean mr_t1?"),
    (("--run", "x", "--data", "phantom:2", "--direction", "ct_to_ct"), "leads nowhere"),
    (("--run", "x", "--data", "phantom:2", "--direction", "ct_mr_t1"), "Did you mean ct_to_mr_t1?"),
    (("--run", "x", "--data", "phantom:2"), "--direction ct_to_mr_t1 or --direction mr_t1_to_ct"),
])  # fmt: skip
def test_wrong_words_name_the_right_ones(capsys, words: tuple[str, ...], told: str):
    with pytest.raises(SystemExit) as ended:
        main(["train", "pix2pix", *words])
    assert ended.value.code == 2 and told in capsys.readouterr().err


def test_settings_may_be_written_as_toml(tmp_path: Path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text('data = "phantom:2"\ndirection = "ct_to_mr_t1"\n[config]\nwidth = 8\n[settings]\nepochs = 3\n')
    chosen = saved(tmp_path, "pix2pix", "--config", str(file))
    assert (chosen["config"]["width"], chosen["settings"]["epochs"], chosen["direction"]) == (8, 3, "ct_to_mr_t1")
    file.write_text("width: 8")
    assert main(["train", "pix2pix", "--run", str(tmp_path / "run"), "--config", str(file)]) == 1
    assert "mine.toml cannot be read as TOML" in capsys.readouterr().err


@pytest.fixture
def three_kinds(tmp_path: Path) -> str:
    """Volumes of two patients in CT, T1 and FLAIR."""
    for patient in ("p1", "p2"):
        (tmp_path / "three" / patient).mkdir(parents=True)
        for name in ("ct", "t1", "flair"):
            values = np.full((8, 8, 4), 40, np.int16)
            nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "three" / patient / f"{name}.nii.gz")
    return str(tmp_path / "three")


def test_what_learns_both_ways_needs_no_direction_where_the_data_hold_two_kinds(tmp_path: Path, three_kinds: str, capsys):
    for name, card in method_cards().items():
        if card.both_ways:
            assert saved(tmp_path, name, "--data", "phantom:2")["direction"] == "ct_to_mr_t1"
            continue
        with pytest.raises(SystemExit):
            main(["train", name, "--data", "phantom:2", "--run", "x"])
    chosen = saved(tmp_path, "stargan", "--data", three_kinds)
    assert (chosen["config"]["domains"], chosen["direction"]) == ("ct,mr_t1,mr_flair", "ct_to_mr_t1")
    chosen = saved(tmp_path, "stargan", "--data", three_kinds, "--domains", "mr_flair,ct")
    assert (chosen["config"]["domains"], chosen["direction"]) == ("mr_flair,ct", "mr_flair_to_ct")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["train", "cyclegan", "--data", three_kinds, "--run", "x"])
    assert "hold ct, mr_t1, mr_flair: say which two" in capsys.readouterr().err


def test_a_saved_file_starts_a_run_on_data_that_are_prepared_otherwise(tmp_path: Path, capsys, one_thread: None):
    place = ["--data", str(tmp_path / "out")]
    assert main(["prepare", "phantom:2", "--out", place[1], "--spacing-mm", "5", "--every", "8", "--no-check"]) == 0
    tiny = ["--width", "4", "--discriminator-width", "4", "--receptive-field", "16", "--crop", "32", "--iterations", "1"]
    saved(tmp_path, "cut", *place, "--direction", "ct_to_mr_t1", *tiny, "--no-tensorboard", "--validation-slices", "1")
    files = {"a": tmp_path / "saved.json", "b": tmp_path / "a" / "config.json"}
    for run, file in files.items():
        assert main(["train", "cut", "--run", str(tmp_path / run), "--config", str(file)]) == 0
    one, other = (RunFolder(tmp_path / name).read_config() for name in "ab")
    assert one == other and one["settings"]["spacing_mm"] == 5
    assert main(["train", "cut", "--run", str(tmp_path / "c"), "--config", str(files["a"]), "--spacing-mm", "2"]) == 1
    assert "prepared already" in capsys.readouterr().err
    assert main(["train", "cut", "--run", str(tmp_path / "absent"), "--resume"]) == 1
    assert "absent holds no run" in capsys.readouterr().err


def test_data_that_cannot_be_used_end_as_events_do(tmp_path: Path, capsys):
    assert main(["train", "cyclegan", "--data", str(tmp_path / "absent"), "--run", str(tmp_path / "run"), "--json"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert from_json(line).reason == "failed" and not (tmp_path / "run").exists()


def test_slices_are_not_prepared_among_other_things_or_over_others(tmp_path: Path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "0123456789abcdef-0123456789abcdef.npy").write_bytes(b"")
    small = ["--spacing-mm", "5", "--every", "20", "--no-check"]
    assert main(["prepare", "phantom:1", "--out", str(tmp_path / "mine"), *small]) == 1
    assert "not empty" in capsys.readouterr().err and len(list((tmp_path / "mine").iterdir())) == 1
    for count, status in ((1, 0), (1, 0), (2, 1)):
        assert main(["prepare", f"phantom:{count}", "--out", str(tmp_path / "out"), *small]) == status
    assert "holds slices of other data" in capsys.readouterr().err


def test_the_line_of_a_step_shows_losses_and_the_time_that_is_left():
    step = Step(iteration=50, epoch=2, losses={"l1": 0.25}, learning_rate=1, seconds=0.5, share=0.5, seconds_left=125)
    line = _progress_text(step)
    assert "[############............]" in line and "l1 0.250" in line and "2 min 05 s left" in line and "2.0 steps/s" in line
