"""Collections as they lie on disk: recognised by looking, and every picture in its place."""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from ctmri_core.data.case_sources import CaseSource, find_cases, only_pairs
from ctmri_core.data.layouts.known import LAYOUTS, layout_of
from ctmri_core.data.layouts.layout import LayoutOptions, as_asked
from ctmri_core.data.layouts.picture_files import by_patient
from ctmri_core.data.split import SplitPlan, split_cases
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, FileRefused, Stopped, TrainingFailed
from tests.hostile.dicom_bytes import Value
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


def test_deep_pictures_of_ct_that_may_hold_hounsfield_units_are_not_taken_for_a_window(tmp_path: Path):
    for name, level in (("001", 1064), ("ct_1", 1064), ("002", 65535)):
        png(tmp_path / name / "ct" / f"{name}.png", level, deep=True)
    deep, spread, named = (case.load for case in found(tmp_path, ct_window_high=80).cases)
    with pytest.raises(FileRefused, match=r"001\.png is a CT of more than 8 bits that goes up to 1064"):
        deep()
    assert spread()[Domain.CT].voxels.max() == 80 and named()[Domain.CT].voxels.max() == 40


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


def dicom_series(folder: Path, patient: str, modality: str = "CT", *, count: int = 6, top: int = 100, **edits: Value) -> None:
    """Series of one patient, one study for each modality."""
    number = zlib.crc32(f"{folder}".encode())
    edits = {"PatientID": patient, "StudyInstanceUID": f"1.2.{zlib.crc32(f'{patient} {modality}'.encode())}", **edits}
    edits = {"SeriesInstanceUID": f"1.3.{number}", "FrameOfReferenceUID": f"1.4.{zlib.crc32(patient.encode())}", **edits}
    write(folder, stack(count, 2.5, values=(top - 1, top), modality=modality, **edits))


def highest(source: CaseSource, domain: Domain) -> list[float]:
    return [case.load()[domain].voxels.max() for case in source.cases]


SPIN_ECHO = {"ScanningSequence": "SE", "RepetitionTime": "500", "EchoTime": "10"}


def test_of_several_series_the_original_that_says_its_contrast_is_taken(tmp_path: Path):
    for patient in ("a", "b"):
        place = tmp_path / patient
        dicom_series(place / "1", patient, top=50)
        dicom_series(place / "2", patient, top=60, count=9, ImageType="DERIVED\\SECONDARY\\MPR")
        dicom_series(place / "3", patient, top=70, count=9, ImageType="ORIGINAL\\PRIMARY\\LOCALIZER")
        dicom_series(place / "4", patient, "MR", top=200, **SPIN_ECHO)
        dicom_series(place / "5", patient, "MR", top=300, count=9)
        dicom_series(place / "6", patient, "PT", top=400, count=9)
    source = found(tmp_path)
    assert source.layout == "dicom" and names(source) == ["a", "b"]
    assert highest(source, Domain.CT) == [50, 50] and highest(source, Domain.MR_T1) == [200, 200]
    assert names(found(tmp_path / "a")) == ["a"], "one patient's studies are one patient"
    for patient in ("a", "b"):
        dicom_series(tmp_path / patient / "7", patient, "MR", top=500, count=12)
        for path in (tmp_path / patient / "4").iterdir():
            path.unlink()
    with pytest.raises(FileRefused, match="2 MR series that do not say their weighting"):
        found(tmp_path).cases[0].load()


@pytest.mark.parametrize("place", ["{side}/{patient}/{kind}", "{kind}/{patient}", "download/study/{patient}/1/{kind}"])
def test_dicom_of_several_patients_is_never_one_case(tmp_path: Path, place: str):
    for number, (patient, side) in enumerate((("a", "train"), ("b", "train"), ("c", "test"))):
        for kind, edits in (("CT", {}), ("MR", SPIN_ECHO)):
            folder = tmp_path / place.format(side=side, patient=patient, kind=kind)
            dicom_series(folder, patient, kind, top=100 + number, **edits)
    source = found(tmp_path)
    assert sorted(case.patient.partition("/")[0] for case in source.cases) == ["a", "b", "c"]
    for case in source.cases:
        volumes = case.load()
        assert volumes.domains == PAIR and volumes[Domain.CT].voxels.max() == 100 + "abc".index(case.patient[0])
        assert volumes[Domain.MR_T1].voxels.max() == volumes[Domain.CT].voxels.max()
        assert case.side == ({"a": "train", "b": "train", "c": "test"}[case.patient[0]] if "side" in place else "")


def test_images_of_two_patients_in_one_folder_are_refused(tmp_path: Path):
    dicom_series(tmp_path / "x", "a")
    for path in (tmp_path / "x").iterdir():
        path.rename(path.with_name(f"a{path.name}"))
    dicom_series(tmp_path / "x", "b", SeriesInstanceUID="1.2.3")
    with pytest.raises(FileRefused, match="several patients"):
        found(tmp_path).cases[0].load()


def test_patients_that_share_a_made_up_name_stay_apart(tmp_path: Path):
    for patient in ("p1", "p2", "p3"):
        dicom_series(tmp_path / patient, "ANONYMOUS", StudyInstanceUID=f"1.2.{patient[1]}")
    source = found(tmp_path)
    assert names(source) == [case.patient for case in source.cases] == ["p1", "p2", "p3"]
    dicom_series(tmp_path / "p4", "b")
    dicom_series(tmp_path / "p4 again", "b", StudyInstanceUID="1.2.4")
    source = found(tmp_path)
    assert {case.identifier: case.patient for case in source.cases}["p4 again"] == "p4", "one patient to a split"
    assert not source.remarks, "no folder is passed over"


def test_volumes_of_one_name_are_paired_within_a_patient_only(tmp_path: Path):
    nifti(tmp_path / "p1" / "ct_head.nii.gz", 111)
    nifti(tmp_path / "p2" / "t1_head.nii.gz", 222)
    source = found(tmp_path)
    assert [(case.patient, case.domains) for case in source.cases] == [("p1", (Domain.CT,)), ("p2", (Domain.MR_T1,))]
    nifti(tmp_path / "p2" / "ct_head.nii.gz", 122)
    assert names(only_pairs(found(tmp_path), PAIR)) == ["p2/head"]
    nifti(tmp_path / "p2" / "head_ct.nii.gz")
    with pytest.raises(TrainingFailed, match=r"ct_head\.nii\.gz and head_ct\.nii\.gz say the same"):
        found(tmp_path)


def test_sessions_are_of_their_subject_and_what_was_derived_is_left(tmp_path: Path):
    for session in ("ses-01", "ses-02"):
        nifti(tmp_path / "sub-01" / session / "anat" / f"sub-01_{session}_T1w.nii.gz")
        nifti(tmp_path / "sub-01" / session / "ct" / f"sub-01_{session}_ct.nii.gz")
    nifti(tmp_path / "derivatives" / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz")
    source = found(tmp_path)
    assert source.layout == "named_volumes" and names(source) == ["sub-01_ses-01", "sub-01_ses-02"]
    assert {case.patient for case in source.cases} == {"sub-01"} and all(case.domains == PAIR for case in source.cases)


def test_similar_names_in_folders_of_domains_are_pairs_and_masks_are_none(tmp_path: Path):
    for number in (1, 2):
        nifti(tmp_path / "CT" / f"ct{number:03}.nii.gz")
        nifti(tmp_path / "MR" / f"mr{number:03}.nii.gz")
        nifti(tmp_path / "MR" / f"mr{number:03}_mask.nii.gz", 1)
    for clutter in (".DS_Store", "MR/._mr001.nii.gz", "__MACOSX/x.nii.gz"):
        (tmp_path / clutter).parent.mkdir(exist_ok=True)
        (tmp_path / clutter).write_bytes(b"x")
    source = found(tmp_path)
    assert names(source) == ["001", "002"] and all(case.domains == PAIR for case in source.cases)
    assert not any("pixel" in remark for remark in source.remarks)
    (tmp_path / "T1").mkdir()
    nifti(tmp_path / "T1w" / "x.nii.gz")
    with pytest.raises(TrainingFailed, match="T1 and T1w both hold T1 MR"):
        found(tmp_path)


def test_names_in_capitals_and_cone_beam_and_synthetic_ct(tmp_path: Path):
    for name in ("p1/CT", "p1/MRI", "p2/cbct", "p2/sct", "p3/MR", "p3/T1w", "p4/T1/series", "p4/CT/series"):
        nifti(tmp_path / f"{name}.nii.gz", 7 if name == "p3/T1w" else 100)
    source = found(tmp_path)
    assert source.layout == "patients" and names(source) == ["p1", "p3", "p4"]
    assert [case.domains for case in source.cases] == [PAIR, (Domain.MR_T1,), PAIR]
    assert source.cases[1].load()[Domain.MR_T1].voxels.max() == 7, "what says T1 comes before what says MR"
    assert any("1 of 4 folders" in remark for remark in source.remarks)


def test_folders_of_a_split_and_of_centres_are_looked_into(tmp_path: Path):
    for side, patient in (("Train", "p1"), ("Train", "p2"), ("TEST", "p3")):
        nifti(tmp_path / "split" / side / patient / "ct.nii.gz")
        nifti(tmp_path / "split" / side / patient / "mr.nii.gz")
    source = found(tmp_path / "split")
    assert {case.patient: case.side for case in source.cases} == {"p1": "train", "p2": "train", "p3": "test"}
    assert sorted(split_cases(source.cases, SplitPlan()).values()) == ["test", "train", "validation"]
    for centre, patient in (("Rome", "001"), ("Rome", "002"), ("Oslo", "001"), ("Oslo", "003")):
        for number in (1, 2):
            png(tmp_path / "centres" / centre / patient / "ct" / f"ct_{number}.png")
            png(tmp_path / "centres" / centre / patient / "mr" / f"mr_{number}.png")
    source = found(tmp_path / "centres")
    assert source.layout == "slice_folders" and names(source) == ["Oslo/001", "Oslo/003", "Rome/001", "Rome/002"]
    assert [case.centre for case in source.cases] == ["Oslo", "Oslo", "Rome", "Rome"]
    assert any("taken for centres" in remark for remark in source.remarks)
    sides = split_cases(source.cases, SplitPlan(leave_out_centre="Rome"))
    assert sides["001"] == sides["002"] == "test", "a patient of both centres is not learnt from"


def test_synthrad_2025_is_found_from_where_it_was_unpacked(tmp_path: Path):
    for region, patient in (("AB", "1ABA005"), ("HN", "1HNC001"), ("TH", "1THB010")):
        for name in ("ct", "mr", "mask"):
            place = tmp_path / "synthRAD2025_Task1_Train" / "Task1" / region / patient
            place.mkdir(parents=True, exist_ok=True)
            image = SimpleITK.GetImageFromArray(np.full((2, 3, 4), 1 if name == "mask" else -1000, np.int16))
            SimpleITK.WriteImage(image, place / f"{name}.mha")
    source = found(tmp_path)
    assert source.layout == "synthrad" and [case.centre for case in source.cases] == ["A", "C", "B"]
    assert source.cases[0].load().masks["body"].all()


def test_pictures_by_domain_then_patient_are_stacks_and_without_common_names_no_pairs(tmp_path: Path):
    for number in (1, 2):
        png(tmp_path / "ct" / "p1" / f"{number}.png")
        png(tmp_path / "mr" / "p1" / f"{number}.png")
        png(tmp_path / "ct" / "p2" / f"{number}.png")
        png(tmp_path / "mr" / "p2" / f"slice{number}b.png")
    source = found(tmp_path)
    assert names(source) == ["p1", "p2/ct", "p2/mr_t1"] and names(only_pairs(source, PAIR)) == ["p1"]
    assert source.cases[1].patient == source.cases[2].patient == "p2"


def test_parts_of_chaos_and_one_patient_of_rire_can_be_named(tmp_path: Path):
    (tmp_path / "MR" / "1" / "T2SPIR" / "DICOM_anon").mkdir(parents=True)
    assert names(found(tmp_path / "MR", (Domain.CT, Domain.MR_T2))) == ["MR 1"]
    for name in ("ct", "mr_MP-RAGE", "mr_T2_rectified"):
        place = tmp_path / "patient_101" / name
        place.mkdir(parents=True)
        (place / "header.ascii").write_text("Patient Orientation := L : P : F")
    (case,) = found(tmp_path / "patient_101", (*PAIR, Domain.MR_T2)).cases
    assert case.domains == PAIR and not case.together
    lines = "Rows := 1", "Columns := 1", "Slices := 1", "Pixel size := 1 : 1", "Slice thickness := 1"
    (tmp_path / "patient_101" / "ct" / "header.ascii").write_text("\n".join((*lines, "Patient Orientation := L : P : F")))
    with pytest.raises(FileRefused, match="Patient Orientation"):
        case.load()


def test_links_in_a_ring_and_links_to_patients(tmp_path: Path):
    dicom_series(tmp_path / "far" / "p2" / "ct", "b")
    data = tmp_path / "data"
    dicom_series(data / "p1" / "ct", "a")
    (data / "p2").symlink_to(tmp_path / "far" / "p2", target_is_directory=True)
    (data / "up").symlink_to(tmp_path, target_is_directory=True)
    (data / "self").symlink_to(data / "self")
    (data / "p1" / "again").symlink_to(data, target_is_directory=True)
    assert names(found(data)) == ["p1", "p2"]


def test_what_fits_no_layout_is_told_with_what_comes_near(tmp_path: Path):
    (tmp_path / "Task1.zip").write_bytes(b"PK\3\4")
    with pytest.raises(TrainingFailed, match=r"1 archive\. Unpack it"):
        found(tmp_path)
    with pytest.raises(TrainingFailed, match=r"is a file, no folder\. Unpack it"):
        found(tmp_path / "Task1.zip")
    nifti(tmp_path / "one.nii.gz")
    nifti(tmp_path / "two.nii.gz")
    with pytest.raises(TrainingFailed, match=r"2 volumes and 1 archive.*Nearest is PATIENT/ct\.nii\.gz"):
        found(tmp_path)
    nifti(tmp_path / "a" / "p1" / "ct.nii.gz")
    png(tmp_path / "b" / "p1" / "ct" / "1.png")
    with pytest.raises(TrainingFailed, match=r"Folders in it do: a \(patients\), b \(slice_folders\)"):
        found(tmp_path)


@pytest.mark.parametrize("layout", ["", *(layout.name for layout in LAYOUTS)])
def test_looking_for_cases_can_be_stopped_anywhere(tmp_path: Path, layout: str):
    """In whatever layout, and after however many looks: nothing is taken for what was found so far."""
    for number in range(6):
        patient = tmp_path / f"1BA{number:03}"
        patient.mkdir()
        for name in ("ct.nii.gz", "mr.nii.gz", f"IXI{number:03}-Guys-0828-T1.nii.gz"):
            (patient / name).touch()
    domains = (Domain.CT, Domain.MR_T1)
    looks = []
    with suppress(CtmriError):
        find_cases(tmp_path, domains, layout=layout, stop=lambda: bool(looks.append(1)))
    assert looks
    for at in range(0, len(looks), 3):
        left = iter(range(at))
        with pytest.raises(Stopped):
            find_cases(tmp_path, domains, layout=layout, stop=lambda left=left: next(left, None) is None)
    with suppress(CtmriError):
        find_cases(tmp_path, domains, layout=layout)  # the next search heeds its own signal
