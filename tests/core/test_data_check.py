"""What is wrong with cases is told before training, in words and in a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctmri_core.case import Case
from ctmri_core.cli.main import main
from ctmri_core.data.case_check import CheckReport, check_case
from ctmri_core.data.case_sources import CaseSource
from ctmri_core.data.check_sheet import Thumbnail, write_sheet
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.preparation import prepare_dataset
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.split import SplitPlan
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Synthetic, Volume

PAIR = (Domain.CT, Domain.MR_T1)


@pytest.fixture(scope="module")
def head() -> Case:
    whole = make_head(2, voxel_mm=3.0)
    return Case("head", {domain: whole[domain] for domain in PAIR})


def kinds(case: Case, **options) -> list[str]:
    options = {"paired": True} | options
    return [problem.kind for problem in check_case(case, PAIR, 1, **options).problems]


def changed(head: Case, domain: Domain, **changes) -> Case:
    return replace(head, volumes={**head.volumes, domain: replace(head[domain], **changes)})


def regridded(volume: Volume, spacing: tuple[float, float, float]) -> Geometry:
    return replace(volume.geometry, spacing=spacing)


def test_a_good_pair_has_no_problems(head: Case):
    found = check_case(head, PAIR, 7, paired=True)
    assert not found.problems and found.number == 7
    assert found.outline_dice > 0.85 and found.mutual_information > 1.05 and set(found.spacing) == {"ct", "mr_t1"}


def test_a_lonely_picture_is_unpaired_where_pairs_are_needed(head: Case):
    alone = replace(head, volumes={Domain.CT: head[Domain.CT]})
    assert kinds(alone) == ["unpaired"] and kinds(alone, paired=False) == []


def test_a_displaced_picture_is_misaligned_unless_it_need_not_lie_there(head: Case):
    moved = head[Domain.MR_T1].geometry
    moved = Geometry.from_affine(moved.shape, rigid_transform((0, 0, 15), (15, 10, 0)) @ moved.affine)
    displaced = changed(head, Domain.MR_T1, geometry=moved)
    assert kinds(displaced) == ["misaligned"] and kinds(displaced, together=False) == []


def test_the_wrong_modality_is_seen_by_its_values(head: Case):
    swapped = replace(head, volumes={Domain.CT: replace(head[Domain.MR_T1], domain=Domain.CT), Domain.MR_T1: head[Domain.MR_T1]})
    assert "modality" in kinds(swapped)
    ct_as_mr = changed(head, Domain.MR_T1, voxels=head[Domain.CT].voxels, geometry=head[Domain.CT].geometry)
    assert "modality" in kinds(ct_as_mr)


def test_empty_pictures_are_told(head: Case):
    air = changed(head, Domain.CT, voxels=np.full_like(head[Domain.CT].voxels, -1000))
    assert "empty" in kinds(air)


def test_odd_voxels_are_told(head: Case):
    mr = head[Domain.MR_T1]
    k, j, i = mr.geometry.spacing
    assert "spacing" in kinds(changed(head, Domain.MR_T1, geometry=regridded(mr, (k, j, 1.5 * i))))
    assert "spacing" in kinds(changed(head, Domain.MR_T1, geometry=regridded(mr, (k, 10.0, 10.0))))


def test_a_synthetic_truth_is_told(head: Case):
    assert kinds(changed(head, Domain.MR_T1, synthetic=Synthetic("m", "0"))) == ["synthetic"]


def report_of(loads: Sequence[Callable[[], Case]], folder: Path, domains: Sequence[Domain] = PAIR) -> CheckReport:
    """As preparing a collection writes it."""
    source = CaseSource("x", "y", False, tuple(CaseReference(f"p{n}", load) for n, load in enumerate(loads)))
    plan, recipe = SplitPlan(validation_share=0), Recipe(spacing_mm=4.0)
    finish(prepare_dataset(source, domains, recipe, folder, plan, never, made_from={"data": "x"}, options=PreparationOptions()))
    return CheckReport.model_validate_json((folder / "check.json").read_bytes())


def test_a_collection_is_reported_in_words_by_number(head: Case, tmp_path: Path):
    def damaged() -> Case:
        raise FileRefused("Mustermann/ct.nii.gz", "is damaged.")

    alone = replace(head, volumes={Domain.CT: head[Domain.CT]})
    report = report_of([lambda: head, damaged, lambda: alone, lambda: alone], tmp_path / "all")
    assert not report.good
    first, second = report.sentences()
    assert first.startswith("2 of 4 cases lack a kind of picture (number 3, 4)") and "no T1 MR" in first
    assert second.startswith("1 of 4 cases cannot be read (number 2)") and "Mustermann" not in second
    assert CheckReport.model_validate_json(report.model_dump_json()) == report
    assert report_of([lambda: head], tmp_path / "one").sentences() == ["Nothing is wrong with the 1 cases."]


def test_a_case_unlike_the_others_is_told(head: Case, tmp_path: Path):
    fine = changed(head, Domain.CT, geometry=regridded(head[Domain.CT], (1.0, 1.0, 1.0)))
    fine = replace(fine, volumes={Domain.CT: fine[Domain.CT]})
    coarse = replace(head, volumes={Domain.CT: replace(head[Domain.CT], geometry=regridded(head[Domain.CT], (2.0, 2.0, 2.0)))})
    loads = [partial(lambda case: case, case) for case in (fine, fine, coarse)]
    report = report_of(loads, tmp_path, (Domain.CT,))
    assert [problem.message for problem in report.cases[2].problems] == [
        "Pixels of 2 mm, where 1 mm is usual here. Look whether the file is right."
    ]
    assert not report.cases[0].problems and report.good


def test_the_sheet_shows_wrong_ones_first_and_in_words(tmp_path: Path):
    picture = np.linspace(-1, 1, 60 * 80).reshape(60, 80)
    body = np.zeros((60, 80), bool)
    body[10:50, 10:70] = True
    wrong = {5: ("not aligned", True), 3: ("odd voxels", False)}
    thumbnails = [Thumbnail(n, (picture, -picture), body, ("CT", "T1 MR"), *wrong.get(n, ())) for n in range(6)]
    write_sheet(tmp_path / "check.png", thumbnails)
    page = np.asarray(Image.open(tmp_path / "check.png")).astype(int)
    height, width = 20 + 128 + 3 + 6, 3 + 3 * 128 + 3 + 6
    assert page.shape == (2 * height + 6, 4 * width + 6, 3)
    frames = [page[6 + 20, 6 + n * width + 50] for n in range(3)]
    assert frames[0][0] - frames[0][1] > 130 and 60 < frames[1][0] - frames[1][1] < 100 and np.ptp(frames[2]) < 10
    words = [(page[6:24, 6 + n * width :][:, : width - 6].max(2) > 120).sum() for n in range(3)]
    assert words[0] > 150 and words[1] > 150 and words[2] < 60  # what is wrong, and a number alone
    outline = page[6 + 20 : 6 + 148, 6 + 3 + 256 : 6 + 3 + 384]
    yellow = (outline[..., 0] > 200) & (outline[..., 2] < 120) & (outline[..., 1] > 150)
    assert 2 * (96 + 64) * 0.8 < yellow.sum() < 2 * (96 + 64) * 1.3


def test_what_was_drawn_is_outlined_on_the_picture_and_not_on_itself():
    drawn = np.zeros((64, 64), bool)
    drawn[20:40, 20:40] = True
    alone = np.asarray(Thumbnail(1, (np.zeros((64, 64)),), drawn, ("CT",), drawn_in=True).drawn()).astype(int)
    plain = np.asarray(Thumbnail(1, (np.zeros((64, 64)),), drawn, ("CT",)).drawn()).astype(int)
    assert alone.shape[1] > plain.shape[1], "one more picture, with the outline"
    yellow = (alone[..., 0] > 200) & (alone[..., 2] < 120)
    assert yellow.any() and yellow[:, : plain.shape[1] - 6].sum() == 0


def test_the_pork_phantom_is_registered_where_it_has_to_be(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    flags = (
        "--domains",
        "ct,mr_t2",
        "--out",
        str(tmp_path / "out"),
        "--spacing-mm",
        "3",
        "--every",
        "4",
        "--validation-share",
        "0",
    )
    assert main(["prepare", str(shared_data / "porcine_ct_t2"), *flags, "--align", "needed"]) == 0
    assert "Nothing is wrong with the 1 cases" in capsys.readouterr().err
    report = json.loads((tmp_path / "out" / "check.json").read_text())
    assert report["cases"][0]["outline_dice"] > 0.9 and (tmp_path / "out" / "check.png").stat().st_size > 1000
