"""The command line, run in this process on real files."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime

import nibabel
import numpy as np
import pytest
from PIL import Image

from ctmri_core.cli import main
from ctmri_core.cli.terminal import Terminal, run
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Finished, Noted, Progress, Step, from_json
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import load_model, save_model
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


def test_info_numbers_series_and_goes_on_after_a_damaged_one(tmp_path, capsys):
    _write(tmp_path / "scans" / "a_ct.nii.gz", _head(1))
    damaged = _write(tmp_path / "scans" / "b_ct.nii.gz", _head(2))
    damaged.write_bytes(damaged.read_bytes()[:-200])
    _write(tmp_path / "scans" / "c_t1.nii.gz", (_head(3) + 1000).astype(np.int16))
    assert main(["info", str(tmp_path / "scans"), "--json", "--values"]) == 0
    reports = json.loads(capsys.readouterr().out)
    assert [report["series"] for report in reports] == [1, 2, 3]
    assert ["values" in report for report in reports] == [True, False, True]
    assert "b_ct.nii.gz" in reports[1]["refused"]
    assert main(["info", str(damaged), "--values"]) == 1
    assert "refused: b_ct.nii.gz" in capsys.readouterr().out


def test_info_tells_series_of_one_name_apart_by_where_they_lie(tmp_path, capsys):
    for subject in ("anna", "bert"):
        (tmp_path / subject / "ct").mkdir(parents=True)
        Image.fromarray(np.full((4, 5), 7, np.uint8)).save(tmp_path / subject / "ct" / "001.png")
    (tmp_path / "one").mkdir()
    _write(tmp_path / "one" / "scan_ct.nii.gz", _head(1))
    assert main(["info", str(tmp_path), "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    assert [report["file"] for report in reports] == ["one/scan_ct.nii.gz", "anna/ct", "bert/ct"]
    assert [report["beside_a_scan"] for report in reports] == [False, True, True]
    assert not any(report["localizer"] for report in reports)  # a picture beside a scan is none
    assert main(["info", str(tmp_path / "anna" / "ct"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["file"] == "ct"


def test_info_reads_as_lines_for_people(tmp_path, models, capsys):
    source = _write(tmp_path / "ct.nii.gz", _head(2))
    assert main(["info", str(source), "--values"]) == 0
    told = capsys.readouterr().out
    assert "slices x rows x columns: 6 x 40 x 48\n" in told and "findings: none" in told
    assert "spacing of slices, rows, columns: 3 x 1.5 x 1.5 mm\n" in told and " HU\n" in told
    assert main(["translate", str(source), "--output", str(tmp_path / "out.mha"), "--model", "tiny"]) == 0
    assert "_" not in next(line for line in capsys.readouterr().err.splitlines() if line.startswith("translating"))
    _write(tmp_path / "odd_ct.nii.gz", _head(2) + 1000)
    for name, words in (("out.mha", "synthetic: yes; not for diagnosis"), ("odd_ct.nii.gz", "    - serious: ")):
        assert main(["info", str(tmp_path / name), "--values"]) == 0
        told = capsys.readouterr().out
        assert words.removesuffix("; not for diagnosis") in told
        assert "False" not in told and "localizer" not in told


def test_info_takes_the_voxel_size_and_says_how_to_give_it(tmp_path, capsys):
    for n in (1, 2):
        Image.fromarray(np.full((4, 5), n, np.uint8)).save(tmp_path / f"t1_{n}.png")
        Image.fromarray(np.full((4, 5), n, np.uint8)).save(tmp_path / f"t2_{n}.png")
    assert main(["info", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.count("plane: axial") == told.count("what to do: give the voxel size in mm with --spacing K,J,I") == 2
    assert main(["info", str(tmp_path), "--series", "2", "--spacing", "5,0.5,0.4", "--values", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["series"], report["spacing_mm"], report["what_to_do"]) == (2, [5.0, 0.5, 0.4], [])
    assert report["extent_mm"] == [10.0, 2.0, 2.0]


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
    assert main(["models", "tiny", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["body_region"] == "head"
    assert main(["models", "--json"]) == 0
    assert [entry["card"]["name"] for entry in json.loads(capsys.readouterr().out)].count(card["name"]) == 1
    assert main(["models", "tiny"]) == 0
    said = capsys.readouterr().out
    assert card["weights_sha256"] in said and "axial, " in said and "learnt from" in said and "Isola" in said


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


def test_translate_says_what_is_odd_about_source_and_result(tmp_path, models, capsys):
    odd = _write(tmp_path / "ct.nii.gz", _head(2) + 1000)
    entry = models / "demo.safetensors"
    model, card = load_model(models / "tiny.safetensors")
    save_model(entry, model.state_dict(), card.model_copy(update={"name": "show", "demo": True}))
    assert main(["translate", str(odd), "--output", str(tmp_path / "x.nii.gz"), "--model", "show", "--json"]) == 0
    noted = [event for line in capsys.readouterr().out.splitlines() if isinstance(event := from_json(line), Noted)]
    # unit, what it means for the model, demo, guess, face
    assert [event.serious for event in noted] == [True, True, False, False, False]
    assert "Hounsfield" in noted[0].message and "demonstration" in noted[2].message


def test_an_input_that_cannot_say_what_it_is_must_be_told(tmp_path, models, capsys):
    unsaid = _write(tmp_path / "scan.nii.gz", np.clip(_head(2), -100, 300) // 2 + 50)
    target = ["--output", str(tmp_path / "x.nii.gz")]
    assert main(["translate", str(unsaid), *target]) == 1
    assert "say which it is: --modality ct, mr, mr_t1" in capsys.readouterr().err
    assert main(["translate", str(unsaid), *target, "--modality", "ct"]) == 0
    with pytest.raises(SystemExit):
        main(["translate", str(unsaid), *target, "--modality", "mr_t3"])
    assert "Did you mean mr_t" in capsys.readouterr().err


def test_the_scan_survives_its_translation(tmp_path, models, capsys):
    source = _write(tmp_path / "scan_ct.nii.gz", _head(2))
    before = source.read_bytes()
    for flags in ([], ["--overwrite"]):
        assert main(["translate", str(source), "--output", str(source), "--model", "tiny", *flags]) == 1
        assert "is what was opened" in capsys.readouterr().err
    other = tmp_path / "x.nii.gz"
    other.write_bytes(b"mine")
    assert main(["translate", str(source), "--output", str(other), "--model", "tiny"]) == 1
    assert "--overwrite" in capsys.readouterr().err and other.read_bytes() == b"mine"
    assert main(["translate", str(source), "--output", str(other), "--model", "tiny", "--overwrite"]) == 0
    assert source.read_bytes() == before and nibabel.load(other).shape == (48, 40, 6)


@pytest.mark.parametrize("flags", [["--model", "tinny"], ["--device", "cuda"], ["--output", "x.jpg"]])
def test_what_cannot_work_is_said_before_the_scan_is_read(tmp_path, models, capsys, monkeypatch, flags):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("ctmri_core.io.opening.sole_series", lambda *_: pytest.fail("the scan was read"))
    assert main(["translate", "ct.nii", "--output", str(tmp_path / "x.nii"), *flags]) == 1
    assert capsys.readouterr().err


def test_an_empty_name_is_refused(capsys):
    for words in (["info", ""], ["translate", "", "--output", "x.nii"], ["translate", "x.nii", "--output", ""]):
        with pytest.raises(SystemExit):
            main(words)
        assert "the name is empty" in capsys.readouterr().err


def test_a_dicom_header_is_not_overruled(tmp_path, models, capsys):
    source = _write(tmp_path / "ct.nii.gz", _head(2))
    assert main(["translate", str(source), "--output", str(tmp_path / "mr"), "--model", "tiny"]) == 0
    words = ["translate", str(tmp_path / "mr"), "--output", str(tmp_path / "x.nii.gz"), "--modality", "ct"]
    assert main(words) == 1
    assert "Leave the flag out" in capsys.readouterr().err


def test_one_of_several_series_is_chosen_by_the_number_that_info_gives(tmp_path, models, capsys):
    for number in range(2):
        _write(tmp_path / "scans" / f"{number}_ct.nii.gz", _head(number, shape=(48, 40, 4 + number)))
    target = tmp_path / "x.nii.gz"
    words = ["translate", str(tmp_path / "scans"), "--output", str(target), "--model", "tiny"]
    assert main(words) == 1
    assert "--series" in capsys.readouterr().err
    assert main([*words, "--series", "2"]) == 0
    assert nibabel.load(target).shape == (48, 40, 5)


def test_translate_writes_a_dicom_series_into_a_folder(tmp_path, models):
    import pydicom

    source = _write(tmp_path / "ct.nii.gz", _head(2))
    assert main(["translate", str(source), "--output", str(tmp_path / "series"), "--model", "tiny"]) == 0
    files = sorted((tmp_path / "series").glob("*.dcm"))
    assert len(files) == 6
    assert pydicom.dcmread(files[0]).SyntheticData == "YES"


def test_a_model_of_the_other_direction_is_refused_in_words(tmp_path, models, capsys):
    path = _write(tmp_path / "t1.nii.gz", (_head(3) + 1000).astype(np.int16))
    assert main(["translate", str(path), "--output", str(tmp_path / "x.nii.gz"), "--model", "tiny"]) == 1
    assert "CT" in capsys.readouterr().err
    assert not (tmp_path / "x.nii.gz").exists()


def _beginning(tmp_path, *length):
    """The words that start a tiny run on three cases."""
    for number in range(3):
        case = tmp_path / "data" / f"case{number}"
        _write(case / "ct.nii.gz", _head(number))
        _write(case / "t1.nii.gz", np.clip(_head(number) + 1000, 0, None).astype(np.int16))
    flags = ["--generator", "resnet_6", "--width", "4", "--discriminator-width", "4", "--norm", "instance", "--no-tensorboard"]
    flags += ["--crop", "32", "--receptive-field", "16", "--precision", "32", "--spacing-mm", "1.5", "--device", "cpu"]
    data = ["--data", str(tmp_path / "data"), "--direction", "ct_to_mr_t1"]
    return ["train", "pix2pix", "--run", str(tmp_path / "my run"), *data, *flags, *length]


def test_train_and_resume(tmp_path, capsys):
    run = tmp_path / "my run"
    assert main(_beginning(tmp_path, "--iterations", "2")) == 0
    assert list((run / "models").glob("*.safetensors"))
    assert main(["train", "pix2pix", "--run", str(run), "--resume"]) == 0
    assert "model ct_to_mr_t1" in capsys.readouterr().out
    assert main(["train", "pix2pix", "--run", str(run), "--resume", "--epochs", "1", "--json"]) == 0
    events = [from_json(line) for line in capsys.readouterr().out.splitlines()]
    assert [event.iteration for event in events if isinstance(event, Step)][-1] == 12  # slices of two cases
    assert json.loads((run / "config.json").read_text())["settings"]["iterations"] is None


def test_resuming_refuses_what_it_would_not_heed(tmp_path, capsys):
    run = tmp_path / "run"
    for words in (["--no-flip"], ["--learning-rate", "0.1", "--direction", "ct_to_mr_t1"]):
        with pytest.raises(SystemExit) as ended:
            main(["train", "pix2pix", "--run", str(run), "--resume", *words])
        assert ended.value.code == 2
        told = capsys.readouterr().err
        assert words[0].replace("no-", "") in told and "start a new run" in told
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"method": "cyclegan"}))
    assert main(["train", "pix2pix", "--run", str(run), "--resume"]) == 1
    assert "run holds a run of cyclegan, not of pix2pix" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_in_training_keeps_the_state_and_says_how_to_go_on(tmp_path):
    begin = [sys.executable, "-m", "ctmri_core.cli", *_beginning(tmp_path, "--iterations", "1000000")]
    with subprocess.Popen([*begin, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if isinstance(from_json(line), Step):
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate()
    last = from_json(out.splitlines()[-1])
    assert process.returncode == 130
    assert isinstance(last, Finished) and last.reason == "stopped"
    said = shlex.split(err.splitlines()[-1].removeprefix("Go on with: "))
    assert said[0] == "ctmri"
    taken = json.loads((tmp_path / "my run" / "config.json").read_text())["settings"]["iterations"]
    assert taken == 1000000
    assert main([*said[1:], "--iterations", "1"]) == 0


def test_the_last_event_is_always_the_end():
    """Bugs and a second Ctrl+C go on to whoever catches them, after the event."""

    def work(_stop, end):
        yield Progress(done=1)
        if isinstance(end, BaseException):
            raise end
        yield end
        yield Progress(done=2)

    expected = [
        (ValueError("of Jane Doe"), "crashed"), (KeyboardInterrupt(), "stopped"), (Stopped("no more"), "stopped"),
        (WriteFailed("full"), "failed"), (MemoryError(), "failed"), (Finished(reason="completed"), "completed"),
    ]  # fmt: skip
    for end, reason in expected:
        out = io.StringIO()
        through = isinstance(end, ValueError | KeyboardInterrupt)
        with pytest.raises(type(end)) if through else nullcontext():
            run(lambda stop, end=end: work(stop, end), Terminal(as_json=True, out=out))
        events = [from_json(line) for line in out.getvalue().splitlines()]
        assert [isinstance(event, Finished) for event in events] == [False] * (len(events) - 1) + [True]
        assert events[-1].reason == reason
        assert "Jane" not in out.getvalue()


def test_a_bug_prints_its_place_and_no_data(tmp_path, capsys, monkeypatch):
    def broken(path):
        raise ValueError("Jane Doe")

    monkeypatch.setattr("ctmri_core.io.opening.scan", broken)
    assert main(["info", "x"]) == 1
    told = capsys.readouterr().err
    assert "< ctmri_core.cli.info:" in told and "Jane" not in told and "Traceback" not in told


def test_train_without_data_says_what_is_needed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "pix2pix", "--run", str(tmp_path / "run")])
    assert "--data" in capsys.readouterr().err


def test_the_headless_demo_fails_without_a_model(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ctmri_core.demo.model_folders", lambda: [tmp_path])
    assert main(["demo", "--headless", str(tmp_path / "demo")]) == 1
    assert "No model for CT → T1 MR was found" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_files_without_a_command_open_the_window_on_them_and_words_do_not(tmp_path, monkeypatch, capsys):
    """The window itself would wait for its user: its own command line is what the call must satisfy."""
    scan, called = tmp_path / "ct.nii.gz", []
    _write(scan, _head(1))
    monkeypatch.setattr(subprocess, "call", lambda words: called.append(words) or 0)
    assert main([str(scan), str(tmp_path)]) == 0 and main([]) == 0
    assert called == [[sys.executable, "-m", "ctmri_gui", str(scan), str(tmp_path)], [sys.executable, "-m", "ctmri_gui"]]
    with pytest.raises(SystemExit):
        main([str(scan), str(tmp_path / "missing.nii.gz")])
    assert "is none of translate" in capsys.readouterr().err and len(called) == 2
