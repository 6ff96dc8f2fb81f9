"""Collections as they lie on disk: recognised by looking, and every picture in its place."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from ctmri_core.data.case_sources import CaseSource, find_cases, only_pairs
from ctmri_core.data.layouts.known import LAYOUTS, layout_of
from ctmri_core.data.layouts.layout import LayoutOptions, as_asked
from ctmri_core.data.layouts.picture_files import by_patient
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, FileRefused, TrainingFailed
from tests.hostile.series import stack, write

PAIR = (Domain.CT, Domain.MR_T1)
EDGE = 40


def nifti(path: Path, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.full((4, 5, 3), -1000, np.int16)
    voxels[1:3, 1:4] = value
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-2.0, -2.0, 3.0, 1.0])), path)


def png(path: Path, level: int = 100, size: tuple[int, int] = (EDGE, EDGE), deep: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros(size, np.uint16 if deep else np.uint8)
    values[8:-8, 8:-8] = level
    Image.fromarray(values).save(path)


def found(folder: Path, domains=PAIR, layout: str = "", **options) -> CaseSource:
    return find_cases(folder, domains, layout=layout, options=LayoutOptions(**options))


def names(source: CaseSource) -> list[str]:
    return [case.identifier for case in source.cases]


def test_synthrad_tells_the_centre_by_its_letters(tmp_path: Path):
    for patient in ("1BA001", "1BB012", "1BC100", "overview"):
        for name in ("ct", "mr", "mask") if patient != "overview" else ():
            nifti(tmp_path / "Task1" / "brain" / patient / f"{name}.nii.gz", 1 if name == "mask" else 100)
    for folder in (tmp_path / "Task1", tmp_path / "Task1" / "brain"):
        source = found(folder)
        assert source.layout == "synthrad" and names(source) == ["1BA001", "1BB012", "1BC100"]
        assert [case.centre for case in source.cases] == ["A", "B", "C"]
    case = source.cases[0].load()
    assert case.domains == PAIR and case.masks["body"].sum() == 2 * 3 * 3 and case[Domain.MR_T1].domain is Domain.MR_T1


def test_one_patient_alone_is_a_collection_of_one(tmp_path: Path):
    nifti(tmp_path / "pat" / "ct.nii.gz")
    nifti(tmp_path / "pat" / "t1.nii")
    source = found(tmp_path / "pat")
    assert source.layout == "patients" and names(source) == ["pat"] and source.cases[0].domains == PAIR


def test_volumes_in_folders_of_domains_are_paired_by_name(tmp_path: Path):
    for name in ("a", "b"):
        nifti(tmp_path / "ct" / f"{name}.nii.gz")
    nifti(tmp_path / "MRI" / "b.nii.gz")
    source = found(tmp_path)
    assert source.layout == "domain_folders"
    assert {case.identifier: case.domains for case in source.cases} == {"a": (Domain.CT,), "b": PAIR}
    assert names(only_pairs(source, PAIR)) == ["b"]


def test_names_of_volumes_say_patient_and_domain(tmp_path: Path):
    for name in ("sub-01/anat/sub-01_T1w", "sub-01/ct/sub-01_ct", "sub-02/anat/sub-02_T1w", "sub-01/anat/sub-01_mask"):
        nifti(tmp_path / f"{name}.nii.gz")
    source = found(tmp_path, layout="named_volumes")
    assert {case.identifier: case.domains for case in source.cases} == {"sub-01": PAIR, "sub-02": (Domain.MR_T1,)}
    assert "body" in source.cases[0].load().masks


def test_ixi_has_three_contrasts_of_a_patient_and_hospitals(tmp_path: Path):
    for folder, name in (("IXI-T1", "IXI002-Guys-0828-T1"), ("IXI-T2", "IXI002-Guys-0828-T2"), ("IXI-T2", "IXI012-HH-1211-T2")):
        nifti(tmp_path / folder / f"{name}.nii.gz")
    source = found(tmp_path, (Domain.MR_T1, Domain.MR_T2))
    assert source.layout == "ixi" and names(source) == ["IXI002", "IXI012"]
    assert [case.centre for case in source.cases] == ["Guys", "HH"]
    assert source.cases[0].domains == (Domain.MR_T1, Domain.MR_T2) and source.cases[1].domains == (Domain.MR_T2,)


def test_chaos_keeps_ct_and_mr_of_one_number_apart(tmp_path: Path):
    sets = tmp_path / "CHAOS_Train_Sets" / "Train_Sets"
    for place in ("CT/1/DICOM_anon", "MR/1/T1DUAL/DICOM_anon/InPhase", "MR/1/T2SPIR/DICOM_anon"):
        (sets / place).mkdir(parents=True)
    for folder in (tmp_path, sets):
        source = found(folder, (*PAIR, Domain.MR_T2))
        assert source.layout == "chaos" and names(source) == ["CT 1", "MR 1"]
        assert source.cases[0].patient != source.cases[1].patient
    with pytest.raises(TrainingFailed, match="No case has CT and T1 MR"):
        only_pairs(source, PAIR)


def test_rire_reads_its_ascii_headers_and_is_not_taken_for_registered(tmp_path: Path):
    voxels = (np.arange(2 * 3 * 4).reshape(2, 3, 4) - 5).astype(">i2")
    for name in ("ct", "mr_T1"):
        place = tmp_path / "patient_001" / name
        place.mkdir(parents=True)
        lines = (
            "Modality := CT",
            "Rows := 3",
            "Columns := 4",
            "Slices := 2",
            "Pixel size := 0.65 : 0.66",
            "Slice thickness := 4.0",
        )
        (place / "header.ascii").write_text("\n".join(lines))
        (place / "image.bin").write_bytes(voxels.tobytes())
    source = found(tmp_path)
    assert source.layout == "rire" and not source.cases[0].together
    volume = source.cases[0].load()[Domain.CT]
    np.testing.assert_array_equal(volume.voxels, voxels)
    assert volume.geometry.spacing == (4.0, 0.65, 0.66)
    (place / "image.bin").write_bytes(voxels.tobytes()[:-2])
    with pytest.raises(FileRefused, match=r"image\.bin has another size"):
        source.cases[0].load()


def test_single_slices_of_several_planes_stay_with_their_patient(tmp_path: Path):
    for patient in ("1BA001", "1BC002"):
        for plane in ("axial", "coronal"):
            png(tmp_path / patient / f"ct_{plane}.png", 1064, deep=True)
            png(tmp_path / patient / f"mr_t1_{plane}.png")
            png(tmp_path / patient / f"mask_{plane}.png", 255)
    source = found(tmp_path)
    assert source.layout == "slice_files" and len(source.cases) == 4 and source.ct_window is None
    assert [case.patient for case in source.cases] == ["1BA001"] * 2 + ["1BC002"] * 2
    assert names(found(tmp_path, plane="axial")) == ["1BA001/axial", "1BC002/axial"]
    case = source.cases[0].load()
    assert case[Domain.CT].voxels[0, 20, 20] == 40 and case[Domain.CT].voxels[0, 0, 0] == -1024
    assert case.masks["body"].sum() == 24 * 24 and case[Domain.CT].geometry.shape == (1, EDGE, EDGE)


def test_windowed_stacks_are_paired_by_number_and_become_hounsfield_units(tmp_path: Path):
    for number in (1, 2, 10):
        png(tmp_path / "patient_01" / "ct" / f"{number:03}.png", 50 * min(number, 5))
        png(tmp_path / "patient_01" / "mr_t1" / f"{number:03}.png")
    png(tmp_path / "patient_01" / "mr_t1" / "011.png")
    source = found(tmp_path, pixel_mm=0.5, ct_window_low=-20, ct_window_high=100)
    assert source.layout == "slice_folders" and source.ct_window == (-20, 100)
    case = source.cases[0].load()
    assert case[Domain.CT].geometry.shape == (3, EDGE, EDGE) and case[Domain.CT].geometry.spacing[2] == 0.5
    np.testing.assert_allclose(
        case[Domain.CT].voxels[:, 20, 20], [-20 + 120 * level / 255 for level in (50, 100, 250)], atol=1e-3
    )
    assert case[Domain.CT].voxels[0, 0, 0] == -1024 and not case[Domain.CT].findings
    assert any("grey levels" in remark for remark in source.remarks)


def test_aligned_pictures_are_cut_in_two(tmp_path: Path):
    for side, name in (("train", "p1_001"), ("train", "p1_002"), ("train", "p2_001"), ("val", "p3_001"), ("val", "p3_002")):
        path = tmp_path / side / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.hstack([np.full((32, 32), 10, np.uint8), np.full((32, 32), 200, np.uint8)])).save(path)
    source = found(tmp_path, (Domain.MR_T1, Domain.MR_T2))
    assert source.layout == "aligned" and [case.side for case in source.cases] == ["train"] * 3 + ["validation"] * 2
    assert [case.patient for case in source.cases] == ["p1", "p1", "p2", "p3", "p3"]
    case = source.cases[0].load()
    assert case[Domain.MR_T1].voxels.max() == 10 and case[Domain.MR_T2].voxels.min() == 200
    with pytest.raises(CtmriError, match="two domains"):
        found(tmp_path, (*PAIR, Domain.MR_T2))


@pytest.mark.parametrize(
    ("folders", "layout"), [(("trainA", "trainB", "testA"), "train_ab"), (("train/ct", "train/mri", "test/ct"), "domain_folders")]
)
def test_unpaired_pictures_of_equal_names_are_no_pairs_unless_told(tmp_path: Path, folders: tuple[str, ...], layout: str):
    for folder in folders:
        for number in (1, 2):
            png(tmp_path / folder / f"{number}.png")
    source = found(tmp_path)
    assert source.layout == layout and len(source.cases) == 6 and len({case.patient for case in source.cases}) == 6
    assert all(len(case.domains) == 1 for case in source.cases)
    assert sorted({case.side for case in source.cases}) == ["test", "train"]
    with pytest.raises(TrainingFailed, match="--pair-by-name"):
        only_pairs(source, PAIR)
    assert any("split is by picture" in remark for remark in source.remarks)
    paired = only_pairs(found(tmp_path, pair_by_name=True), PAIR)
    assert len(paired.cases) == 2 and all(case.domains == PAIR for case in paired.cases)


def test_patients_with_dicom_are_told_apart_by_their_headers(shared_data: Path, tmp_path: Path):
    patient = tmp_path / "pat"
    patient.mkdir()
    for series in sorted(path for path in (shared_data / "porcine_ct_t2" / "dicom_excerpt").iterdir() if path.is_dir()):
        (patient / series.name).symlink_to(series, target_is_directory=True)
    assert layout_of(tmp_path) is None or layout_of(tmp_path).name == "dicom"
    case = found(shared_data / "porcine_ct_t2", (Domain.CT, Domain.MR), layout="dicom").cases[0].load()
    assert case.domains == (Domain.CT, Domain.MR) and case[Domain.MR].geometry.shape[0] == 16


def test_the_slices_and_stacks_at_hand_are_recognised(shared_data: Path):
    source = found(shared_data / "synthrad_brain_slices")
    assert source.layout == "slice_files" and len(source.cases) == 450
    assert {case.centre for case in source.cases} == {"A", "B", "C"} and len({case.patient for case in source.cases}) == 150
    assert source.ct_window is None
    source = found(shared_data / "windowed_brain_slices")
    assert source.layout == "slice_folders" and len(source.cases) == 7 and source.ct_window == (0, 80)


def test_a_folder_of_nothing_and_a_wrong_layout_name_what_there_is(tmp_path: Path):
    with pytest.raises(TrainingFailed, match=r"looks like none of the known layouts\. It holds no files"):
        found(tmp_path)
    with pytest.raises(TrainingFailed, match="Did you mean synthrad"):
        found(tmp_path, layout="sythrad")
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)


def test_patients_are_told_by_names_only_where_they_can_be():
    known = by_patient([Path(f"p{p}_{n:03}.png") for p in (1, 2) for n in range(3)])
    assert set(known.values()) == {"p1", "p2"}
    assert len(set(by_patient([Path(f"ct{n}.png") for n in range(4)]).values())) == 4
    assert len(set(by_patient([Path(f"{n:04}.jpg") for n in range(4)]).values())) == 4


def test_an_mr_of_unsaid_weighting_is_the_one_that_is_asked_for():
    assert as_asked(Domain.MR, PAIR) is Domain.MR_T1 and as_asked(Domain.MR_T2, PAIR) is None
    assert as_asked(Domain.MR, (Domain.MR_T1, Domain.MR_T2)) is None and as_asked(Domain.UNKNOWN, PAIR) is None


def test_tilted_slices_are_straightened_for_training(tmp_path: Path):
    write(tmp_path / "patient" / "ct", stack(tilt=(0.25, 0.0)))
    (case,) = find_cases(tmp_path, [Domain.CT], layout="dicom").cases
    volume = case.load()[Domain.CT]
    assert volume.history == ("tilted slices shifted onto a straight grid",)
    assert not any(finding.serious for finding in volume.findings if finding.kind == "tilt")
