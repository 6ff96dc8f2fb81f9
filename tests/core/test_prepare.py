"""`ctmri prepare`: a folder that training takes at once; splits, limits, recipe steps and their inverses."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from itertools import combinations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from ctmri_core.cli.main import main
from ctmri_core.data.dataset import DatasetFolder, DatasetIndex
from ctmri_core.data.diversity import most_different, thumbnail
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.preparation import open_dataset, prepare_slices
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.data.source_stamp import stamp_of
from ctmri_core.data.split import SplitLists, SplitPlan, split_cases
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, FileRefused, TrainingFailed
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.bias_field import BiasField
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.intensity import MinMaxRange, ZScore
from ctmri_core.preprocess.recipe import Recipe, SliceChoice
from ctmri_core.volume import Volume

DIRECTION = Direction.parse("ct_to_mr_t1")
PAIR = (Domain.CT, Domain.MR_T1)
SIZE, COUNT, EMPTY = 32, 10, 2


def write_patients(folder: Path, names: list[str], only: str = "") -> None:
    """A ball of water in air and its MR; the lowest `EMPTY` slices are air. `only`: what the last patient has."""
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    for n, name in enumerate(names):
        k, j, i = np.mgrid[0:COUNT, 0:SIZE, 0:SIZE]
        body = ((j - 15.5) ** 2 + (i - 15.5) ** 2 < (9 + n % 3) ** 2) & (k >= EMPTY)
        noise = np.random.default_rng(n).normal(0, 10, body.shape)
        pictures = {"ct": np.where(body, 40 + noise + 9 * k, -1000), "mr": np.where(body, 300 + 3 * noise + 40 * k, 0)}
        (folder / name).mkdir(parents=True)
        for kind in (only,) if only and n == len(names) - 1 else pictures:
            nibabel.save(nibabel.Nifti1Image(pictures[kind].T.astype(np.int16), affine), folder / name / f"{kind}.nii.gz")


def spoil(file: Path) -> None:
    """Makes `file` one that cannot be read, and that nobody who does not read it can tell from what it was."""
    status = file.stat()
    file.write_bytes(bytes(status.st_size))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def prepare(*arguments: object) -> int:
    return main(["prepare", *map(str, arguments)])


def index_of(folder: Path) -> DatasetIndex:
    return DatasetFolder(folder).read()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collection") / "Mustermann"
    write_patients(folder, [f"1B{centre}{n:03}" for centre in "ABC" for n in range(1, 5)])
    return folder


@pytest.fixture(scope="module")
def prepared(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "set"
    flags = ("--spacing-mm", 2, "--validation-share", 0.25, "--test-share", 0.25, "--licence", "CC0", "--what", "water balls")
    assert prepare(collection, "--out", out, *flags) == 0
    return out


def test_what_is_prepared_is_trained_on_at_once(prepared: Path, tmp_path: Path):
    data = finish(prepare_slices(str(prepared), DIRECTION, Recipe(multiple=16), tmp_path / "unused", 0.5, 9, never))
    assert data is not None and not (tmp_path / "unused").exists()
    assert (len(data.train.files), len(data.validation.files)) == (6, 3)
    assert data.recipe.spacing_mm == 2 and data.recipe.multiple == 16 and data.facts.cases == 6
    assert (data.facts.what, data.facts.licence) == ("water balls", "CC0") and len(set(data.facts.fingerprints)) == 6
    batch = next(data.train.whole_batches([0], 1))
    assert batch[Domain.CT].shape == (1, 1, 32, 32)
    hu = data.recipe.to_nominal(batch[Domain.CT].numpy(), Domain.CT)
    assert hu[0, 0, 16, 16] == pytest.approx(40 + 9 * EMPTY, abs=45)


def test_the_folder_tells_no_names_and_is_its_owners_alone(prepared: Path, collection: Path):
    text = (prepared / "dataset.json").read_text().replace(str(collection), "")
    words = [
        text,
        (prepared / "cases.jsonl").read_text(),
        (prepared / "check.json").read_text(),
        *(path.name for path in prepared.iterdir()),
    ]
    assert "1BA" not in " ".join(words) and "Mustermann" not in " ".join(words)
    if os.name != "nt":
        assert {path.stat().st_mode & 0o777 for path in prepared.iterdir()} == {0o600}


def test_each_side_has_patients_of_all_centres(prepared: Path):
    index = index_of(prepared)
    for side, count in (("train", 2), ("validation", 1), ("test", 1)):
        centres = [case.centre for case in index.cases if case.side == side]
        assert sorted(centres) == sorted("ABC" * count)
    assert index.complete and len({case.patient for case in index.cases}) == 12


def test_the_same_again_reads_nothing_and_new_patients_are_added(tmp_path: Path):
    write_patients(tmp_path / "data", ["a", "b"])
    flags = (tmp_path / "data", "--out", tmp_path / "out", "--spacing-mm", 2, "--validation-share", 0.5)
    assert prepare(*flags) == 0
    first = index_of(tmp_path / "out")
    for file in (tmp_path / "data").rglob("*.nii.gz"):
        spoil(file)
    write_patients(tmp_path / "new", ["x", "y", "c"])
    shutil.copytree(tmp_path / "new" / "c", tmp_path / "data" / "c")
    assert prepare(*flags) == 0
    second = index_of(tmp_path / "out")
    assert second.salt == first.salt and {case.key for case in first.cases} < {case.key for case in second.cases}
    for file in (tmp_path / "data" / "c").iterdir():
        spoil(file)
    assert prepare(*flags, "--every", 2) == 1  # another recipe starts anew, and the files cannot be read any more


def test_a_case_whose_file_has_changed_is_prepared_anew_and_those_of_one_that_went_are_removed(tmp_path: Path):
    write_patients(tmp_path / "data", ["a", "b", "c"])
    flags = (tmp_path / "data", "--out", tmp_path / "out", "--spacing-mm", 2, "--validation-share", 0)
    assert prepare(*flags) == 0
    first = index_of(tmp_path / "out")
    shutil.rmtree(tmp_path / "data" / "a")
    write_patients(tmp_path / "new", ["x", "x2", "b"])
    shutil.copytree(tmp_path / "new" / "b", tmp_path / "data" / "b", dirs_exist_ok=True)
    spoil(tmp_path / "data" / "c" / "ct.nii.gz")
    assert prepare(*flags) == 0
    second = index_of(tmp_path / "out")
    assert [case.key for case in second.cases] == [case.key for case in first.cases[1:]]
    assert [one.file == other.file for one, other in zip(first.cases[1:], second.cases, strict=True)] == [False, True]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.npy")) == sorted(case.file for case in second.cases)


def test_stamps_follow_every_file_that_a_case_is_read_from(tmp_path: Path):
    (tmp_path / "p1" / "CT").mkdir(parents=True)
    files = [tmp_path / name for name in ("volume.mhd", "volume.raw", "p1/CT/1.dcm", "p1/CT/2.dcm", "a.png", "mask.nii")]
    for file in files:
        file.write_bytes(b"1")
    places = {Domain.CT: tmp_path / "volume.mhd", Domain.MR_T1: [tmp_path / "a.png"]}
    reference = CaseReference("p1", partial(print, "p1", places, {tmp_path / "p1": None}, mask=tmp_path / "mask.nii"))
    stamps = [stamp_of(reference)]
    assert stamps[0] == stamp_of(reference) != stamp_of(CaseReference("p1", partial(print, "p1")))
    for file in files:
        file.write_bytes(b"22")
        stamps.append(stamp_of(reference))
    files[3].unlink()
    assert len({*stamps, stamp_of(reference)}) == len(files) + 2


def test_cases_that_cannot_be_used_are_left_out_or_end_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_patients(tmp_path / "data", ["a", "b", "c"], only="ct")
    (tmp_path / "data" / "b" / "mr.nii.gz").write_bytes(b"damaged")
    flags = (tmp_path / "data", "--out", tmp_path / "out", "--spacing-mm", 2, "--validation-share", 0)
    assert prepare(*flags, "--no-leave-out") == 1 and "Case 2 of 3" in capsys.readouterr().err
    assert prepare(*flags) == 0
    said = capsys.readouterr().err
    assert "left out" in said and "1 of 3 cases lack a kind of picture (number 3)" in said
    assert [case.domains for case in index_of(tmp_path / "out").cases] == [PAIR, (Domain.CT,)]
    data = open_dataset(DatasetFolder(tmp_path / "out"), "", DIRECTION)
    assert data.train.pairs == COUNT - EMPTY
    with pytest.raises(TrainingFailed, match="no T2 MR; they hold ct, mr_t1"):
        open_dataset(DatasetFolder(tmp_path / "out"), "", Direction.parse("ct_to_mr_t2"))


def test_a_limit_takes_slices_that_differ(collection: Path, tmp_path: Path):
    flags = ("--out", tmp_path / "out", "--spacing-mm", 2, "--validation-share", 0.25, "--limit", 5, "--no-check")
    assert prepare(collection, *flags) == 0
    data = open_dataset(DatasetFolder(tmp_path / "out"), "", DIRECTION)
    assert len(data.train) == 5 and data.validation.pairs == 3 * (COUNT - EMPTY)
    assert data.train.steps_per_epoch(1) == 5
    learnt = {place[0] for place in data.train._complete}
    assert data.facts.cases == len(learnt) < 9 == len(data.train.files) and len(data.facts.fingerprints) == len(learnt)


def test_farthest_points_cover_all_clusters():
    random = np.random.default_rng(0)
    centres = random.normal(0, 10, (6, 20))
    points = [(centres[n % 6] + random.normal(0, 0.1, 20)).astype(np.float32) for n in range(120)]
    chosen = most_different(points, 6, seed=3)
    assert sorted(n % 6 for n in chosen) == list(range(6)) and chosen == most_different(points, 6, seed=3)
    assert most_different(points[:4], 9, 0) == [0, 1, 2, 3] and len(set(most_different([points[0]] * 5, 3, 0))) == 3


def test_what_is_chosen_leaves_nothing_as_far_away_as_chance_does_and_at_most_twice_as_far_as_the_best():
    """Slices of patients, most of them alike: the largest distance to the nearest chosen one, against 200 random choices; and
    against the best of all choices where all can be tried."""
    random = np.random.default_rng(5)
    usual = [random.normal(0, 1, 30) + 0.1 * n for n in range(150)]
    points = np.array([*usual, *(random.normal(0, 6, (12, 30)))], np.float32)

    def farthest(chosen) -> float:
        return float(np.linalg.norm(points[:, None] - points[None, list(chosen)], axis=2).min(1).max())

    own = farthest(most_different(list(points), 20, seed=0))
    assert own < 0.8 * min(farthest(random.choice(len(points), 20, replace=False)) for _ in range(200))
    points = points[140:154]
    best = min(farthest(chosen) for chosen in combinations(range(14), 4))
    assert all(farthest(most_different(list(points), 4, seed)) <= 2 * best for seed in range(14))


def test_thumbnails_are_means_of_blocks():
    planes = np.random.default_rng(0).random((2, 24, 36))
    np.testing.assert_allclose(thumbnail(planes), planes.reshape(2, 12, 2, 12, 3).mean((2, 4)).ravel(), rtol=1e-5)
    assert thumbnail(planes[:, :5, :7]).shape == (288,)


def cases(*entries: tuple[str, str, str, str]) -> list[CaseReference]:
    load = partial(pytest.fail, "no case is read for a split")
    return [CaseReference(name, load, patient, centre, side) for name, patient, centre, side in entries]


def test_a_centre_is_left_out_whole():
    everyone = cases(*[(f"{c}{n}", f"{c}{n}", c, "") for c in "ABC" for n in range(6)])
    sides = split_cases(everyone, SplitPlan(leave_out_centre="B", validation_share=0.25))
    assert {patient for patient, side in sides.items() if side == "test"} == {f"B{n}" for n in range(6)}
    assert sum(side == "validation" for side in sides.values()) == 3
    with pytest.raises(TrainingFailed, match="there are A, B, C"):
        split_cases(everyone, SplitPlan(leave_out_centre="D"))


def test_a_patient_on_two_sides_is_an_error(tmp_path: Path):
    with pytest.raises(TrainingFailed, match="both test and train"):
        split_cases(cases(("x", "p1", "", "train"), ("y", "p1", "", "test")), SplitPlan())
    lists = tmp_path / "split.json"
    lists.write_text(json.dumps({"train": ["p1", "p2"], "validation": ["p2"]}))
    with pytest.raises(TrainingFailed, match="into train and into validation"):
        split_cases(cases(("x", "p1", "", "")), SplitPlan(lists=SplitLists.read(lists)))
    lists.write_text("[1, 2")
    with pytest.raises(FileRefused, match="no lists of patients"):
        SplitLists.read(lists)


def test_lists_and_folders_decide_before_chance():
    everyone = cases(*[(f"p{n}/{k}", f"p{n}", "", "") for n in range(4) for k in range(2)])
    sides = split_cases(everyone, SplitPlan(lists=SplitLists(train=("p0", "p9"), test=("p3",))))
    assert sides == {"p0": "train", "p3": "test"}
    given = split_cases(cases(("a", "a", "", "train"), ("b", "b", "", "validation"), ("c", "c", "", "test")), SplitPlan())
    assert given == {"a": "train", "b": "validation", "c": "test"}


def test_the_split_follows_from_the_seed_alone():
    everyone = cases(*[(f"p{n}", f"p{n}", "AB"[n % 2], "") for n in range(20)])
    one, same, other = (
        split_cases(order, SplitPlan(seed=seed)) for order, seed in ((everyone, 4), (everyone[::-1], 4), (everyone, 5))
    )
    assert one == same != other


@pytest.mark.parametrize(("count", "share", "kept"), [(5, 0, 0), (5, 0.01, 1), (5, 0.99, 4), (5, 0.4, 2), (1, 0.5, 0), (1, 0, 0)])
def test_the_share_for_validation_is_kept_and_none_means_none(count: int, share: float, kept: int):
    sides = split_cases(cases(*[(f"p{n}", f"p{n}", "", "") for n in range(count)]), SplitPlan(validation_share=share, seed=3))
    assert list(sides.values()).count("validation") == kept and list(sides.values()).count("train") == count - kept


@given(
    patients=st.dictionaries(st.text(min_size=1, max_size=4), st.sampled_from(["", "A", "B"]), min_size=2, max_size=40),
    share=st.floats(0, 0.99), test=st.floats(0, 0.99), seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_every_patient_is_on_one_side_and_somebody_is_learnt_from(patients, share, test, seed):
    everyone = cases(*[(f"{name}/{k}", name, centre if k else "A", "") for name, centre in patients.items() for k in range(2)])
    plan = SplitPlan(validation_share=share, test_share=test, seed=seed)
    sides = split_cases(everyone, plan)
    assert sides == split_cases(everyone[::-1], plan) and set(sides) == {case.patient for case in everyone}
    assert "train" in sides.values() and ("validation" in sides.values() or share == 0 or test > 0)


def test_further_patients_leave_most_of_the_others_where_they_are():
    names = [(f"p{n}", f"p{n}", "AB"[n % 2], "") for n in range(100)]
    before, after = (split_cases(cases(*names[:count]), SplitPlan(seed=1)) for count in (90, 100))
    assert sum(before[name] != after[name] for name in before) <= 8


def test_z_scores_and_ranges_are_those_of_the_body():
    head = make_head(0, voxel_mm=4.0)[Domain.MR_T1]
    inside = head.voxels[body_mask(head)].astype(np.float64)
    scale = ZScore(reach=2.5).scale_of(head)
    np.testing.assert_allclose(scale.to_unit(np.array([inside.mean(), inside.mean() + inside.std()])), [0, 0.4], atol=1e-5)
    low_high = MinMaxRange().scale_of(head)
    assert (low_high.low, low_high.high) == (inside.min(), inside.max())
    np.testing.assert_allclose(
        scale.from_unit(scale.to_unit(inside[::99])), np.clip(inside[::99], scale.low, scale.high), atol=0.1
    )


def test_n4_takes_a_known_field_out_and_its_inverse_puts_it_back():
    k, j, i = np.mgrid[-1:1:36j, -1:1:40j, -1:1:40j]
    mask = k**2 + j**2 + i**2 < 0.9
    tissue = np.where(gaussian_filter(np.random.default_rng(0).normal(size=k.shape), 1.5) > 0, 300.0, 450.0) * mask
    gain = np.exp(0.5 * k - 0.3 * j).astype(np.float32)
    biased = Volume((tissue * gain).astype(np.float32), Geometry(k.shape, (4.0, 4.0, 4.0)), Domain.MR_T1)
    n4 = BiasField(cell_mm=8, iterations=30, levels=2)
    found = n4.field_of(biased, mask)
    assert np.log(gain / found)[mask].std() < 0.35 * np.log(gain)[mask].std()
    np.testing.assert_allclose(n4.corrected(biased, mask).voxels * found, biased.voxels, rtol=1e-4, atol=1e-3)


def test_the_outside_of_the_body_is_cleared_for_training_and_translating_alike():
    voxels = np.full((6, 48, 48), -1000, np.int16)
    voxels[:, 10:38, 10:38] = 40
    voxels[:, 44:46, 4:44] = 300  # a table
    volume = Volume(voxels, Geometry(voxels.shape, (3.0, 2.0, 2.0)), Domain.CT)
    recipe = Recipe(spacing_mm=2.0, only_body=True)
    record = recipe.record_of(volume)
    slices = recipe.forward_slices(volume, record, 0, record.count)
    (trained, _), _, _ = recipe.forward_group([volume, volume])
    np.testing.assert_array_equal(slices, trained)
    assert slices[:, 44:46].max() == -1 and slices[3, 24, 24] > -0.7
    assert Recipe(spacing_mm=2.0).forward(volume).slices[:, 44:46].max() > -0.5


def test_slices_are_chosen_by_body_step_and_ends():
    mask = np.zeros((20, 10, 10), bool)
    mask[4:16, :5] = True
    choice = SliceChoice(least_body=0.4, every=3, trim=0.1)
    assert choice.kept(mask).tolist() == list(range(4, 16)) and choice.chosen(12) == (1, 4, 7, 10)


def test_recipes_of_older_models_are_read_as_ever():
    old = {
        "orientation": "axial", "spacing_mm": 1.0, "size": None, "multiple": 4,
        "ct": {"kind": "hu_range", "low": -1024.0, "high": 2000.0},
        "mr": {"kind": "percentile_range", "low": 0.5, "high": 99.5, "nominal_high": 1000.0},
    }  # fmt: skip
    assert Recipe.model_validate(old) == Recipe()
    full = RecipeChoices(mr_scaling="z_score", n4=True, only_body=True, size=256, every=2, soft_tissue_curve=True).recipe()
    assert Recipe.model_validate_json(full.model_dump_json()) == full
    with pytest.raises(ValueError, match="hu-low"):
        RecipeChoices(hu_low=100, hu_high=50)


def test_a_recipe_that_cannot_serve_is_refused(collection: Path, tmp_path: Path):
    assert prepare(collection, "--out", tmp_path / "o", "--spacing-mm", 2, "--size", 30, "--soft-tissue-curve", "--no-check") == 0
    with pytest.raises(TrainingFailed, match="30 x 30 pixels; this method needs multiples of 4"):
        open_dataset(DatasetFolder(tmp_path / "o"), "", DIRECTION, multiple=4)
    with pytest.raises(TrainingFailed, match="soft tissue curve"):
        open_dataset(DatasetFolder(tmp_path / "o"), "", DIRECTION.reverse)
    (tmp_path / "o" / "dataset.json").write_text("{}")
    with pytest.raises(CtmriError, match="no index of prepared data"):
        open_dataset(DatasetFolder(tmp_path / "o"), "", DIRECTION)


def test_unpaired_pictures_are_prepared_each_for_itself(tmp_path: Path):
    from PIL import Image

    for folder in ("trainA", "trainB"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for n in range(3):
            values = np.zeros((48, 48), np.uint8)
            values[8:40, 8:40] = 90 + 20 * n
            values[16:32, 16:32] = 200
            Image.fromarray(values).save(tmp_path / "data" / folder / f"{n}.png")
    assert prepare(tmp_path / "data", "--out", tmp_path / "out", "--validation-share", 0) == 0
    data = open_dataset(DatasetFolder(tmp_path / "out"), "", DIRECTION, paired=False)
    assert len(data.train) == 3 and data.train.pairs == 0
    assert data.recipe.ct.low == 0 and data.recipe.ct.high == 80
    with pytest.raises(TrainingFailed, match="both pictures"):
        open_dataset(DatasetFolder(tmp_path / "out"), "", DIRECTION)
