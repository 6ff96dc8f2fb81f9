"""From cases to batches: what is read, left out, split, cached and drawn."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ctmri_core.cli.main import main
from ctmri_core.data.augmentation import Augmentation, Intensity, Placement
from ctmri_core.data.batches_ahead import BatchesAhead
from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.preparation import PreparedData, prepare_slices
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Finished, Noted, Progress, Started, finish, never, to_json
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.model_card import read_card
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.intensity import HuCurve, HuRange
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import resume_training, train

DIRECTION = Direction.parse("ct_to_mr_t1")
PAIR = (Domain.CT, Domain.MR_T1)
RECIPE = Recipe(spacing_mm=2.0, multiple=4)
SIZE, COUNT, EMPTY = 32, 10, 2


def write_patients(folder: Path, count: int = 4, masked: bool = False) -> None:
    """A ball of water in air, its MR, on one grid; the lowest `EMPTY` slices are air."""
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])  # NIfTI is RAS: this is LPS with rows to posterior
    for n in range(count):
        k, j, i = np.mgrid[0:COUNT, 0:SIZE, 0:SIZE]
        body = (j - 15.5) ** 2 + (i - 15.5) ** 2 < (10 + n % 2) ** 2
        body &= k >= EMPTY
        noise = np.random.default_rng(n).normal(0, 10, body.shape)
        ct = np.where(body, 40 + noise + 5 * k, -1000)
        mr = np.where(body, 300 + 3 * noise + 20 * k, 0)
        patient = folder / f"patient {n}"
        patient.mkdir(parents=True)
        pictures = {"ct": ct, "mr": mr, "mask": body & (i < 16)}
        for name in ("ct", "mr", "mask") if masked else ("ct", "mr"):
            nibabel.save(nibabel.Nifti1Image(pictures[name].T.astype(np.int16), affine), patient / f"{name}.nii.gz")


def prepare(spec: str | Path, cache: Path, **changes) -> PreparedData:
    arguments = {"validation_share": 0.25, "seed": 1, "stop": never} | changes
    data = finish(prepare_slices(str(spec), DIRECTION, RECIPE, cache, **arguments))
    assert data is not None
    return data


def test_a_folder_of_patients_becomes_slices_with_body_split_by_patient(tmp_path: Path):
    write_patients(tmp_path / "data")
    data = prepare(tmp_path / "data", tmp_path / "cache")
    assert len(data.train.files) == 3 and len(data.validation.files) == 1
    assert not set(data.train.files) & set(data.validation.files)
    assert len(data.train) == 3 * (COUNT - EMPTY)
    source, target, mask = data.train.planes((0, EMPTY), PAIR).astype(np.float32)
    assert source.shape == (SIZE, SIZE) and set(np.unique(mask)) == {0, 1}
    hu = data.recipe.to_nominal(source, Domain.CT)
    assert np.abs(hu[mask > 0].mean() - 50) < 15 and hu[0, 0] == pytest.approx(-1000, abs=2)
    assert target[0, 0] == -1 and target[mask > 0].mean() > -0.9
    assert data.facts.cases == 3 and len(set(data.facts.fingerprints)) == 3 and not data.facts.phantom
    assert "patient" not in " ".join(path.name for path in (tmp_path / "cache").iterdir())


def test_a_mask_file_narrows_the_body(tmp_path: Path):
    write_patients(tmp_path / "data", masked=True)
    data = prepare(tmp_path / "data", tmp_path / "cache")
    mask = data.train.planes((0, EMPTY), PAIR)[2]
    assert mask[:, :15].any() and not mask[:, 18:].any()


def test_a_second_preparation_reads_no_case_and_another_recipe_starts_anew(tmp_path: Path):
    write_patients(tmp_path / "data", 2)
    first = prepare(tmp_path / "data", tmp_path / "cache")
    stamps = [path.stat().st_mtime_ns for path in first.train.files]
    for volume in (tmp_path / "data").rglob("*.nii.gz"):
        status = volume.stat()
        volume.write_bytes(bytes(status.st_size))  # nobody who does not read it can tell
        os.utime(volume, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = prepare(tmp_path / "data", tmp_path / "cache")
    assert again.facts == first.facts and [path.stat().st_mtime_ns for path in again.train.files] == stamps
    write_patients(tmp_path / "other", 2)
    other = prepare(tmp_path / "other", tmp_path / "cache")
    assert other.facts.salt != first.facts.salt and len(list((tmp_path / "cache").glob("*.npy"))) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_prepared_pictures_are_their_owners_alone(tmp_path: Path):
    write_patients(tmp_path / "data", 2)
    prepare(tmp_path / "data", tmp_path / "cache")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").glob("*.npy")} == {0o600}


def _rewrite(path: Path, change, affine=None, codes=None) -> None:
    image = nibabel.load(path)
    values = change(np.asarray(image.dataobj))
    new = nibabel.Nifti1Image(values.astype(np.int16), image.affine if affine is None else affine)
    if codes is not None:
        new.set_sform(None, 0)
        new.set_qform(None, 0)
    nibabel.save(new, path)


def test_names_of_patients_and_of_their_folder_are_said_nowhere(tmp_path: Path):
    folder = tmp_path / "Mustermann study"
    write_patients(folder, 2)
    (folder / "patient 1" / "mr.nii.gz").write_bytes(b"damaged")
    work, told = prepare_slices(str(folder), DIRECTION, RECIPE, tmp_path / "cache", 0.0, 0, never), []
    with pytest.raises(TrainingFailed, match=r"Case 2 of 2 cannot be used: mr\.nii\.gz") as failure:
        told.extend(work)
    (folder / "patient 1" / "ct.nii.gz").unlink()
    data = prepare(folder, tmp_path / "cache")
    words = " ".join([*map(to_json, told), str(failure.value), data.facts.model_dump_json()])
    assert "Mustermann" not in words and "patient" not in words


def test_ct_in_another_unit_is_refused(tmp_path: Path):
    write_patients(tmp_path / "data", 3)
    _rewrite(tmp_path / "data" / "patient 1" / "ct.nii.gz", lambda values: values + 1000)
    with pytest.raises(TrainingFailed, match=r"Case 2 of 3 .* Hounsfield"):
        prepare(tmp_path / "data", tmp_path / "cache")


def test_an_unknown_orientation_is_noted_where_both_share_the_grid_and_refused_elsewhere(tmp_path: Path):
    write_patients(tmp_path / "data", 2)
    for name in ("ct", "mr"):
        _rewrite(tmp_path / "data" / "patient 0" / f"{name}.nii.gz", lambda values: values, codes=0)
    events = list(prepare_slices(str(tmp_path / "data"), DIRECTION, RECIPE, tmp_path / "cache", 0.5, 0, never))
    noted = [event for event in events if isinstance(event, Noted)]
    assert len(noted) == 2 and all(event.serious and event.message.startswith("Case 1, ") for event in noted)
    _rewrite(tmp_path / "data" / "patient 1" / "mr.nii.gz", lambda values: values[:-2], codes=0)
    with pytest.raises(TrainingFailed, match="Case 2 of 2"):
        prepare(tmp_path / "data", tmp_path / "other")


def test_displaced_cases_are_brought_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same head twice, once with the MR in a space of its own: prepared alike, up to resampling on oblique grids."""
    recipe, prepared = Recipe(spacing_mm=4.0), []
    for displaced in (False, True):
        monkeypatch.setattr("ctmri_core.phantom.make_head", partial(make_head, displaced=displaced))
        data = finish(prepare_slices("phantom:1:3", DIRECTION, recipe, tmp_path / str(displaced), 0.0, 0, never))
        prepared.append(np.load(data.train.files[0]).astype(np.float64))
    known = {planes[0].tobytes(): planes for planes in prepared[0]}
    found = [(known[planes[0].tobytes()], planes) for planes in prepared[1] if planes[0].tobytes() in known]
    assert len(found) > 0.8 * len(prepared[0])
    still, moved = (np.stack(planes) for planes in zip(*found, strict=True))
    inside = (still[:, 2] > 0) & (moved[:, 2] > 0)
    assert np.corrcoef(still[:, 1][inside], moved[:, 1][inside])[0, 1] > 0.95


def test_preparation_stops_when_asked(tmp_path: Path):
    write_patients(tmp_path / "data", 3)
    cache = tmp_path / "cache"

    def prepared() -> int:
        return len(list(cache.glob("*.npy")))

    for stop, left in ((lambda: True, 0), (lambda: prepared() == 1, 1)):
        work = prepare_slices(str(tmp_path / "data"), DIRECTION, RECIPE, cache, 0.2, 0, stop)
        assert finish(work) is None and prepared() == left


@pytest.mark.parametrize(
    ("spec", "words"),
    [("phantom:", "whole numbers"), ("phantom:0", "between 1"), ("phantom:3:x", "whole numbers"), ("nowhere", "not exist")],
)
def test_wrong_data_is_named(spec: str, words: str):
    with pytest.raises(TrainingFailed, match=words):
        find_cases(spec, PAIR, 1.0)


def test_a_folder_without_pairs_says_what_is_wanted(tmp_path: Path):
    write_patients(tmp_path / "data", 1)
    next((tmp_path / "data").rglob("mr.nii.gz")).unlink()
    with pytest.raises(TrainingFailed, match=r"CT and T1 MR .* mr_t1\.nii\.gz"):
        prepare(tmp_path / "data", tmp_path / "cache")


def test_phantom_seeds_are_counted_from_the_given_one():
    source = find_cases("phantom:3:40", PAIR, 4.0)
    assert [case.identifier for case in source.cases] == ["phantom-40", "phantom-41", "phantom-42"] and source.phantom


def test_from_phantoms_to_a_model_and_on(tmp_path: Path, one_thread: None):
    config = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", lambda_gan=0)
    settings = TrainingSettings(
        iterations=2, batch_size=2, crop=32, spacing_mm=5, validation_share=0.5, validation_slices=2, tensorboard=False,
        device="cpu",
    )  # fmt: skip
    events = list(train("pix2pix", config, "phantom:2", DIRECTION, tmp_path / "run", settings))
    kinds = [type(event) for event in events]
    assert kinds[:3] == [Progress, Progress, Started] and kinds.count(Finished) == 1
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed" and "model ct_to_mr_t1" in events[-1].paths
    on = list(resume_training(tmp_path / "run"))
    assert isinstance(on[0], Started) and on[0].details["from_step"] == 2 and Progress not in map(type, on)


SMALL = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", lambda_gan=0)
SHORT = {"crop": 16, "tensorboard": False, "device": "cpu", "precision": "32"}


def test_prepared_data_decide_what_a_run_can_no_longer_choose(tmp_path: Path, one_thread: None):
    write_patients(tmp_path / "data", 3)
    flags = ("--spacing-mm", "2", "--validation-share", "0.4")
    assert main(["prepare", str(tmp_path / "data"), "--out", str(tmp_path / "set"), *flags]) == 0
    moved = str((tmp_path / "set").rename(tmp_path / "moved"))
    shutil.rmtree(tmp_path / "data")
    for wrong, said in (
        ({"spacing_mm": 1.0}, "--spacing-mm 1: these data are prepared already, with --spacing-mm 2"),
        ({"soft_tissue_curve": True}, "--soft-tissue-curve: .* with --no-soft-tissue-curve"),
        ({"validation_share": 0.0}, "--validation-share 0: .* with --validation-share 0.4"),
    ):
        settings = TrainingSettings(iterations=1, **SHORT, **wrong)
        result = finish(train("pix2pix", SMALL, moved, DIRECTION, tmp_path / "no", settings))
        assert result.reason == "failed" and re.match(said, result.message)
    settings = TrainingSettings(iterations=1, spacing_mm=2, **SHORT)
    done = finish(train("pix2pix", SMALL, moved, DIRECTION, tmp_path / "run", settings))
    stored = RunFolder(tmp_path / "run").read_config()["settings"]
    assert (stored["spacing_mm"], stored["soft_tissue_curve"], stored["validation_share"]) == (2, False, 0.4)
    recipe = read_card(done.models["ct_to_mr_t1"]).recipe
    assert recipe.spacing_mm == 2 and recipe.ct == HuRange() and recipe.slice_mm is None
    assert finish(resume_training(tmp_path / "run")).reason == "completed"


def test_a_run_goes_on_with_prepared_data_that_were_moved_and_with_no_others(tmp_path: Path, one_thread: None, capsys):
    for name, count in (("data", 3), ("more", 4)):
        write_patients(tmp_path / name, count)
        flags = ("--spacing-mm", "2", "--no-check")
        assert main(["prepare", str(tmp_path / name), "--out", str(tmp_path / f"{name}-set"), *flags]) == 0
    settings = TrainingSettings(iterations=1, **SHORT)
    run = RunFolder(tmp_path / "run")
    assert finish(train("pix2pix", SMALL, str(tmp_path / "data-set"), DIRECTION, run.path, settings)).reason == "completed"
    before = run.read_config()
    moved = (tmp_path / "data-set").rename(tmp_path / "moved")
    resume = ["train", "pix2pix", "--run", str(run.path), "--resume", "--iterations", "2", "--data"]
    capsys.readouterr()
    for wrong, said in ((tmp_path / "more-set", "not the slices"), (tmp_path / "data", "names no prepared slices")):
        assert main([*resume, str(wrong)]) == 1
        assert said in capsys.readouterr().err and run.read_config() == before
    assert finish(resume_training(run.path)).reason == "failed"
    assert main([*resume, str(moved)]) == 0
    assert run.read_config()["data"] == str(moved)
    assert finish(resume_training(run.path, length={"iterations": 3})).iteration == 3


def test_a_run_goes_on_with_what_it_began_with_whatever_became_of_its_source(tmp_path: Path, one_thread: None):
    write_patients(tmp_path / "data", 3)
    settings = TrainingSettings(iterations=1, spacing_mm=2, validation_share=0, **SHORT)
    finish(train("pix2pix", SMALL, str(tmp_path / "data"), DIRECTION, tmp_path / "run", settings))
    index = (tmp_path / "run" / "prepared" / "dataset.json").read_bytes()
    for change in (lambda: write_patients(tmp_path / "data" / "more", 1), lambda: shutil.rmtree(tmp_path / "data")):
        change()
        assert finish(resume_training(tmp_path / "run")).reason == "completed"
        assert (tmp_path / "run" / "prepared" / "dataset.json").read_bytes() == index


def test_ct_is_a_target_on_the_linear_range_alone(tmp_path: Path, one_thread: None):
    """A method that learns both ways from CT to MR makes CT as well, which a run to MR alone prepares on a curve."""
    settings = TrainingSettings(
        iterations=1, crop=16, spacing_mm=5, validation_share=0, tensorboard=False, device="cpu", precision="32"
    )
    one_way = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", lambda_gan=0)
    both_ways = CycleGanConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)
    curved = finish(train("pix2pix", one_way, "phantom:1", DIRECTION, tmp_path / "one", settings))
    linear = finish(train("cyclegan", both_ways, "phantom:1", DIRECTION, tmp_path / "both", settings))
    assert read_card(curved.models["ct_to_mr_t1"]).recipe.ct == HuCurve()
    assert [read_card(linear.models[name]).recipe.ct for name in ("ct_to_mr_t1", "mr_t1_to_ct")] == [HuRange(), HuRange()]
    refused = finish(train("cyclegan", both_ways, str(tmp_path / "one" / "prepared"), DIRECTION, tmp_path / "no", settings))
    assert refused.reason == "failed" and "CycleGAN learns CT as a target too" in refused.message


def test_a_failed_preparation_ends_with_one_event(tmp_path: Path):
    events = list(train("pix2pix", None, "nowhere", DIRECTION, tmp_path / "run", TrainingSettings()))
    assert [event.kind for event in events] == ["finished"] and "nowhere" in events[0].message


@pytest.fixture
def numbered(tmp_path: Path) -> PreparedSlices:
    """Source pixels count rows and columns, the target repeats the source, the mask is a square; 2 + 5 slices."""
    files = []
    for case, count in enumerate((2, 5)):
        ramp = np.arange(20 * 24, dtype=np.float16).reshape(20, 24) / 512
        mask = np.zeros_like(ramp)
        mask[12:16, 16:20] = 1
        files.append(tmp_path / f"{case}.npy")
        np.save(files[-1], np.stack([np.stack([ramp, ramp, mask])] * count))
    return PreparedSlices([PreparedCase(file, PAIR) for file in files], PAIR)


def test_pairs_are_changed_together_and_reproducibly(numbered: PreparedSlices):
    augmentation = Augmentation(crop=8)
    batches = [numbered.training_batch(step, 3, augmentation, 5) for step in range(12)]
    for step, batch in enumerate(batches):
        assert batch[Domain.CT].shape == (3, 1, 8, 8) and batch[Domain.CT].is_contiguous()
        assert (batch[Domain.CT] == batch[Domain.MR_T1]).all()
        again = numbered.training_batch(step, 3, augmentation, 5)
        assert (again[Domain.CT] == batch[Domain.CT]).all() and (again.masks[Domain.CT] == batch.masks[Domain.CT]).all()
    steps = np.stack([(batch[Domain.CT][:, 0, 0, 1] - batch[Domain.CT][:, 0, 0, 0]).numpy() for batch in batches])
    assert set(np.sign(steps).ravel()) == {-1, 1}  # both mirrored and not
    assert all(float(batch.masks[Domain.CT].flatten(1).sum(1).min()) > 0 for batch in batches)  # every crop has body


def test_an_epoch_visits_every_slice_once(numbered: PreparedSlices):
    assert numbered.steps_per_epoch(1) == 7 and numbered.steps_per_epoch(2) == 3 and numbered.steps_per_epoch(100) == 1
    orders = [np.random.default_rng([5, epoch]).permutation(7).tolist() for epoch in range(2)]
    assert orders[0] != orders[1]
    assert numbered.training_batch(0, 100, Augmentation(8), 5)[Domain.CT].shape[0] == 7


def test_small_pictures_are_surrounded_by_air(numbered: PreparedSlices):
    batch = numbered.training_batch(0, 1, Augmentation(crop=32, flip=False), 0)
    inside = batch[Domain.CT][0, 0] >= 0
    assert int(inside.sum()) == 20 * 24 and float(batch[Domain.CT][0, 0][~inside].max()) == -1
    assert float(batch.masks[Domain.CT].sum()) == 16


def test_a_placement_is_the_plain_crop():
    planes = np.random.default_rng(0).random((3, 9, 11))
    outside = np.array([-1, -1, 0], np.float32)
    result = Placement(2, 3, 5, flipped=False).apply(planes, outside)
    np.testing.assert_array_equal(result, planes[:, 2:7, 3:8].astype(np.float32))
    np.testing.assert_array_equal(Placement(2, 3, 5, flipped=True).apply(planes, outside), result[:, :, ::-1])


def test_whole_batches_hold_slices_of_one_size(tmp_path: Path):
    for name, shape in (("a", (3, 3, 8, 8)), ("b", (2, 3, 8, 12))):
        np.save(tmp_path / f"{name}.npy", np.zeros(shape, np.float16))
    slices = PreparedSlices([PreparedCase(tmp_path / f"{name}.npy", PAIR) for name in "ab"], PAIR)
    assert [tuple(batch[Domain.CT].shape) for batch in slices.whole_batches(range(5), 2)] == [
        (2, 1, 8, 8), (1, 1, 8, 8), (2, 1, 8, 12)
    ]  # fmt: skip
    assert slices.evenly_spaced(3) == [0, 2, 4] and slices.evenly_spaced(99) == [0, 1, 2, 3, 4]


def _marked(edge: int = 64) -> np.ndarray:
    """CT, MR, mask: one square on all, off the middle."""
    planes = np.full((3, edge, edge), -1.0)
    planes[2] = 0
    planes[0, 20:36, 26:50] = planes[1, 20:36, 26:50] = 0.5
    planes[2, 20:36, 26:50] = 1
    return planes


OUTSIDE = np.array([-1, -1, 0], np.float32)


def test_turning_and_scaling_move_all_pictures_alike():
    planes = _marked()
    result = Placement(0, 0, 64, flipped=False, degrees=90.0, zoom=1.0).apply(planes, OUTSIDE, mr=(1,), masks=(2,))
    turned = [np.rot90(planes, turns, (1, 2)) for turns in (1, -1)]
    assert min(np.abs(result - other).max() for other in turned) < 1e-3
    larger = Placement(0, 0, 64, flipped=False, zoom=1.25).apply(planes, OUTSIDE, masks=(2,))
    np.testing.assert_array_equal(larger[0], larger[1])
    assert larger[2].sum() == pytest.approx(1.25**2 * planes[2].sum(), rel=0.06) and set(np.unique(larger[2])) == {0, 1}
    smaller = Placement(0, 0, 64, flipped=False, degrees=30, zoom=0.7).apply(planes, OUTSIDE, masks=(2,))
    assert (
        smaller[0].min() == -1 and smaller[0, 0, 0] == -1 and smaller[2].sum() == pytest.approx(0.49 * planes[2].sum(), rel=0.1)
    )


def test_intensities_change_in_mr_alone_and_by_the_seed():
    planes = np.random.default_rng(0).uniform(-0.8, 0.8, (3, 32, 32))
    change = Intensity(gamma=1.3, bias=0.2, noise=0.05, seed=4)
    result = Placement(0, 0, 32, False, mr=change).apply(planes, OUTSIDE, mr=(1,))
    np.testing.assert_allclose(result[[0, 2]], planes[[0, 2]], rtol=1e-6)
    assert 0.02 < np.abs(result[1] - planes[1]).mean() < 0.5 and np.abs(result[1]).max() <= 1
    again = Placement(0, 0, 32, False, mr=change).apply(planes, OUTSIDE, mr=(1,))
    np.testing.assert_array_equal(again, result)
    gamma = Intensity(gamma=2.0).apply(planes[1].astype(np.float32))
    low, high = planes[1].min(), planes[1].max()
    np.testing.assert_allclose((gamma - low) / (high - low), ((planes[1] - low) / (high - low)) ** 2, atol=1e-4)


def test_a_batch_with_every_change_follows_from_step_and_seed(numbered: PreparedSlices):
    everything = Augmentation(16, degrees=10, scale=0.1, gamma=0.3, bias=0.2, noise=0.03)
    one, same, other = (numbered.training_batch(step, 2, everything, 5) for step in (3, 3, 4))
    assert (one[Domain.MR_T1] == same[Domain.MR_T1]).all() and (one[Domain.CT] == same[Domain.CT]).all()
    assert one[Domain.MR_T1].shape == other[Domain.MR_T1].shape == (2, 1, 16, 16)
    assert not (one[Domain.MR_T1] == one[Domain.CT]).all()  # of one source, here
    plain = numbered.training_batch(3, 2, Augmentation(16), 5)
    zeroed = numbered.training_batch(3, 2, Augmentation(16, degrees=0.0, noise=0.0), 5)
    assert (plain[Domain.CT] == zeroed[Domain.CT]).all()


def test_batches_drawn_ahead_are_the_same(numbered: PreparedSlices):
    draw = partial(numbered.training_batch, batch_size=1, augmentation=Augmentation(8), seed=2)
    ahead = BatchesAhead(draw)
    for step in (0, 1, 2, 7, 8, 3):
        assert (ahead.batch(step)[Domain.CT] == draw(step)[Domain.CT]).all()
    ahead.close()


def test_whole_slices_are_padded_to_what_networks_take(tmp_path: Path):
    planes = np.zeros((2, 3, 20, 30), np.float16)
    np.save(tmp_path / "a.npy", planes)
    case = PreparedCase(tmp_path / "a.npy", PAIR, backgrounds=(-1.0, -0.5), chosen=(1,))
    slices = PreparedSlices([case], PAIR, multiple=16)
    batch = next(slices.whole_batches([0], 1))
    assert len(slices) == 1 and batch[Domain.CT].shape == (1, 1, 32, 32)
    assert float(batch[Domain.CT][0, 0, 0, 0]) == -1 and float(batch[Domain.MR_T1][0, 0, 0, 0]) == -0.5
    assert float(batch[Domain.CT][0, 0, 6:26, 1:31].abs().max()) == 0 and float(batch.masks[Domain.CT].max()) == 0
