"""The command line, run in this process on real files."""

import json
from datetime import UTC, datetime

import nibabel
import numpy as np
import pytest

from ctmri_core.cli import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import Finished, Progress, from_json
from ctmri_core.model_card import ModelCard
from ctmri_core.preprocess.recipe import Recipe

AFFINE = np.array([[-1.5, 0, 0, 40], [0, -1.5, 0, 30], [0, 0, 3, -20], [0, 0, 0, 1.0]])


def _head(seed, shape=(48, 40, 6)):
    """A smooth blob of tissue in air, HU."""
    noise = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    inside = (grid[0] ** 2 + grid[1] ** 2) < 0.7
    return np.where(inside, 40 + 20 * np.sin(4 * grid[0] + seed) + noise.normal(0, 3, shape), -1000).astype(np.int16)


def _write(path, values, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder with one tiny untrained CT to T1 model, in place of the user's own."""
    torch = pytest.importorskip("torch")
    from ctmri_core.methods.pix2pix.card import Pix2PixConfig
    from ctmri_core.methods.pix2pix.method import Pix2Pix
    from ctmri_core.model_file import save_model

    direction = Direction(Domain.CT, Domain.MR_T1)
    config = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", dropout=False)
    torch.manual_seed(0)
    network = Pix2Pix(config, direction).generator(direction)
    card = ModelCard(
        name="tiny", method="pix2pix", config=config.model_dump(mode="json"), direction=direction,
        recipe=Recipe(spacing_mm=1.5), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    folder = tmp_path / "models"
    folder.mkdir()
    save_model(folder / "tiny.safetensors", network.state_dict(), card)
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(folder))
    return folder


def test_info_says_what_a_file_is(tmp_path, capsys):
    assert main(["info", str(_write(tmp_path / "ct.nii.gz", _head(1))), "--json", "--values"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["slices_rows_columns"] == [6, 40, 48]
    assert report["spacing_mm"] == pytest.approx([3.0, 1.5, 1.5])


def test_info_names_what_is_missing_and_prints_no_traceback(tmp_path, capsys):
    assert main(["info", str(tmp_path / "absent.nii")]) == 1
    assert "absent.nii" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["translte", "x"], "translate"), (["translate", "x", "--outptu", "y"], "--output"), (["train", "pix2pux"], "pix2pix")],
)
def test_a_wrong_word_names_the_nearest_right_one(arguments, hint, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ctmri", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


def test_models_lists_names_and_prints_cards(models, capsys):
    assert main(["models"]) == 0
    assert "tiny" in capsys.readouterr().out
    assert main(["models", "tiny"]) == 0
    assert json.loads(capsys.readouterr().out)["body_region"] == "head"


def test_translate_keeps_the_grid_and_says_so_in_events(tmp_path, models, capsys):
    source = _write(tmp_path / "ct.nii.gz", _head(2))
    target = tmp_path / "out" / "mr.nii.gz"
    flags = ["--model", "tiny", "--device", "cpu", "--batch", "2", "--json"]
    assert main(["translate", str(source), "--output", str(target), *flags]) == 0
    events = [from_json(line) for line in capsys.readouterr().out.splitlines()]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed"
    assert any(isinstance(event, Progress) and event.done == 6 for event in events)
    written = nibabel.load(target)
    assert written.shape == (48, 40, 6)
    assert np.allclose(written.affine, AFFINE, atol=1e-4)
    assert b"synthetic" in bytes(written.header["descrip"])


def test_translate_writes_a_dicom_series_into_a_folder(tmp_path, models):
    import pydicom

    source = _write(tmp_path / "ct.nii.gz", _head(2))
    assert main(["translate", str(source), "--output", str(tmp_path / "series"), "--model", "tiny"]) == 0
    files = sorted((tmp_path / "series").iterdir())
    assert len(files) == 6
    assert pydicom.dcmread(files[0]).SyntheticData == "YES"


def test_a_model_of_the_other_direction_is_refused_in_words(tmp_path, models, capsys):
    path = _write(tmp_path / "t1.nii.gz", (_head(3) + 1000).astype(np.int16))
    assert main(["translate", str(path), "--output", str(tmp_path / "x.nii.gz"), "--model", "tiny"]) == 1
    assert "CT" in capsys.readouterr().err
    assert not (tmp_path / "x.nii.gz").exists()


def test_train_and_resume(tmp_path, capsys):
    for number in range(3):
        case = tmp_path / "data" / f"case{number}"
        _write(case / "ct.nii.gz", _head(number))
        _write(case / "t1.nii.gz", np.clip(_head(number) + 1000, 0, None).astype(np.int16))
    flags = ["--iterations", "2", "--generator", "resnet_6", "--width", "4", "--discriminator-width", "4", "--norm", "instance"]
    flags += ["--crop", "32", "--receptive-field", "16", "--precision", "32", "--spacing-mm", "1.5", "--no-tensorboard"]
    run = tmp_path / "run"
    begin = ["train", "pix2pix", "--data", str(tmp_path / "data"), "--direction", "ct_to_mr_t1", "--run", str(run), *flags]
    assert main(begin) == 0
    assert list((run / "models").glob("*.safetensors"))
    assert main(["train", "pix2pix", "--run", str(run), "--resume"]) == 0
    assert "model ct_to_mr_t1" in capsys.readouterr().out


def test_train_without_data_says_what_is_needed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "pix2pix", "--run", str(tmp_path / "run")])
    assert "--data" in capsys.readouterr().err
