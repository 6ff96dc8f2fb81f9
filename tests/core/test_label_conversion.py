"""`ctmri segment convert`: folders of labelme files to masks, VOC, labelme, NIfTI and back; wrong files named, the rest go on."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from ctmri_core.cli import main
from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.io.voc_palette import voc_palette
from ctmri_core.labels.dicom_seg import write_dicom_seg
from ctmri_core.volume import Volume
from tests.core.test_dicom_seg import GRIDS, scan_on

SIZE = (40, 56)


def grey(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, SIZE).astype(np.uint8)


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Three patients with two pictures each, one embedded and one linked, and two files that are wrong."""
    folder = tmp_path / "drawings"
    for patient in range(3):
        place = folder / f"p{patient}"
        place.mkdir(parents=True)
        for number in range(2):
            name = f"s{number + 9}"  # 9 before 10
            picture = grey(10 * patient + number)
            content = io.BytesIO()
            Image.fromarray(picture).save(content, "PNG")
            if number:
                (place / f"{name}.png").write_bytes(content.getvalue())
            shapes = [
                {"label": "body", "shape_type": "rectangle", "points": [[4, 4], [40, 30]], "group_id": None},
                {"label": "bone", "shape_type": "circle", "points": [[20 + patient, 16], [26, 16]], "group_id": None},
            ]
            drawn = {
                "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"C:\\me\\{name}.png",
                "imageHeight": SIZE[0], "imageWidth": SIZE[1],
                "imageData": None if number else base64.b64encode(content.getvalue()).decode(),
            }  # fmt: skip
            (place / f"{name}.json").write_text(json.dumps(drawn), "utf-8")
    (folder / "broken.json").write_text("{", "utf-8")
    (folder / "notes.json").write_text("[]", "utf-8")
    return folder


def indices(path: Path) -> np.ndarray:
    """As a program reads them that knows of palettes."""
    with Image.open(path) as picture:
        assert picture.mode == "P"
        return np.array(picture)


def convert(*words: object) -> int:
    return main(["segment", "convert", *map(str, words)])


def test_the_palette_is_that_of_voc():
    palette = voc_palette()
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    assert {number: tuple(palette[3 * number : 3 * number + 3]) for number in known} == known


def test_masks_are_written_for_all_files_but_the_wrong_one_which_is_named(drawings, tmp_path, capsys):
    assert convert(drawings, "--output", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "wrong: broken.json: is no JSON" in said and "notes.json is no labelme file" in said
    assert "6 written to out; 1 file was wrong" in said
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["class_names.txt", *(f"p{p}_{s}.png" for p in range(3) for s in ("s10", "s9"))]
    mask = indices(tmp_path / "out" / "p0_s9.png")
    assert [mask[at] for at in ((2, 2), (5, 5), (16, 20), (22, 20), (23, 20))] == [0, 1, 2, 2, 1]
    assert (tmp_path / "out" / "class_names.txt").read_text() == "_background_\nbody\nbone\n"


def test_palette_pictures_are_read_as_numbers_whatever_their_colours(drawings, tmp_path, capsys):
    (drawings / "broken.json").unlink()
    assert convert(drawings, "--output", tmp_path / "out", "--labels", "bone,body") == 0
    path = tmp_path / "out" / "p0_s9.png"
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.voxels[0], indices(path))
    assert set(np.unique(volume.voxels)) == {0, 1, 2} and any(finding.kind == "indexed" for finding in volume.findings)
    own = Image.fromarray(indices(path))
    own.putpalette([0, 0, 0, 250, 10, 10, 128, 128, 128])  # one of the colours is grey: its number counts all the same
    own.save(tmp_path / "own.png")
    np.testing.assert_array_equal(open_volume(tmp_path / "own.png").voxels[0], indices(path))
    levels = Image.fromarray(grey(0) // 64)
    levels.putpalette([0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240])
    levels.save(tmp_path / "levels.png")
    np.testing.assert_array_equal(open_volume(tmp_path / "levels.png").voxels[0], grey(0) // 64 * 80)


def test_a_voc_layout_splits_by_patient_and_numbers_objects(drawings, tmp_path):
    (drawings / "broken.json").unlink()
    out = tmp_path / "voc"
    assert convert(drawings, "--output", out, "--to", "voc", "--validation-share", "0.34", "--test-share", "0.34") == 0
    lists = {path.stem: path.read_text().split() for path in (out / "ImageSets" / "Segmentation").iterdir()}
    assert sorted(lists) == ["test", "train", "trainval", "val"]
    assert sorted(lists["trainval"]) == sorted(lists["train"] + lists["val"])
    sides = [{name.partition("_")[0] for name in lists[side]} for side in ("train", "val", "test")]
    assert all(len(side) == 1 for side in sides) and len(set.union(*sides)) == 3
    np.testing.assert_array_equal(np.array(Image.open(out / "PNGImages" / "p1_s10.png")), grey(11))
    classes, objects = (indices(out / folder / "p1_s10.png") for folder in ("SegmentationClass", "SegmentationObject"))
    np.testing.assert_array_equal(classes, objects)
    assert convert(drawings, "--output", tmp_path / "jpeg", "--to", "voc", "--pictures", "jpeg") == 0
    with Image.open(tmp_path / "jpeg" / "JPEGImages" / "p1_s10.jpg") as picture:
        assert picture.format == "JPEG" and np.abs(np.array(picture).astype(int) - grey(11)).mean() < 8


def test_pictures_of_nobody_known_are_not_split(drawings, tmp_path, capsys):
    assert convert(drawings / "p0", "--output", tmp_path / "voc", "--to", "voc") == 0
    assert "seem to be of one patient" in capsys.readouterr().err
    assert not (tmp_path / "voc" / "ImageSets" / "Segmentation" / "val.txt").read_text()


def test_a_voc_layout_is_read_back_with_its_names_and_pictures(drawings, tmp_path, capsys):
    """Masks of a folder keep their names; labelme made of them is drawn to the same numbers over the same pictures."""
    voc, masks, drawn, again = (tmp_path / name for name in ("voc", "masks", "labelme", "again"))
    assert convert(drawings, "--output", voc, "--to", "voc") == 1
    spoilt = voc / "SegmentationClass" / "p2_s10.png"
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(voc / "PNGImages" / "p2_s10.png")
    assert convert(voc, "--output", masks) == 0
    listed = sorted(path.name for path in (voc / "SegmentationClass").iterdir())
    assert sorted(path.name for path in masks.glob("*.png")) == listed
    assert (masks / "class_names.txt").read_text() == (voc / "class_names.txt").read_text()
    assert all(np.array_equal(indices(masks / name), indices(voc / "SegmentationClass" / name)) for name in listed)
    capsys.readouterr()
    assert convert(voc, "--output", drawn, "--to", "labelme") == 1
    assert "p2_s10.png: has 5 x 5 pixels, its mask 56 x 40" in capsys.readouterr().err
    assert convert(drawn, "--output", again) == 0
    for name in set(listed) - {spoilt.name}:
        assert np.array_equal(indices(again / name), indices(masks / name))
        embedded = json.loads((drawn / name).with_suffix(".json").read_text())["imageData"]
        with Image.open(io.BytesIO(base64.b64decode(embedded))) as picture, Image.open(voc / "PNGImages" / name) as own:
            assert np.array_equal(np.array(picture), np.array(own))


def test_labels_go_to_nifti_on_the_scan_to_labelme_and_back(tmp_path, capsys):
    labels = np.zeros((3, *SIZE), np.uint8)
    labels[0, 5:20, 6:30], labels[0, 8:12, 10:14], labels[2, 20:, 30:] = 1, 0, 2
    affine = np.diag([-0.8, -0.9, 3.0, 1.0])
    for name, values in (("scan", np.arange(labels.size).reshape(labels.shape) % 900), ("map", labels)):
        nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0).astype(np.int16), affine), tmp_path / f"{name}.nii.gz")
    scan = ("--scan", tmp_path / "scan.nii.gz", "--labels", "fat,bone")
    assert convert(tmp_path / "map.nii.gz", "--output", tmp_path / "me", "--to", "labelme", *scan) == 0
    assert len(list((tmp_path / "me").glob("map_*.json"))) == 3
    assert convert(tmp_path / "me", "--output", tmp_path / "back", "--to", "nifti", *scan) == 0
    again = nibabel.load(tmp_path / "back" / "labels.nii.gz")
    np.testing.assert_array_equal(np.asarray(again.dataobj).transpose(2, 1, 0), labels)
    np.testing.assert_allclose(again.affine, affine, atol=1e-4)
    assert convert(tmp_path / "me", "--output", tmp_path / "png", "--labels", "fat,bone") == 0
    assert convert(tmp_path / "png", "--output", tmp_path / "again", "--to", "nifti", *scan) == 0
    np.testing.assert_array_equal(open_volume(tmp_path / "again" / "png.nii.gz").voxels, labels)


_GRIDS = {
    "RAS": Geometry((3, 12, 9), (2.0, 1.0, 1.5), (0.0, 0.0, 0.0), ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0))),
    "turned": Geometry((3, 12, 9), (2.0, 1.0, 1.5), (0.0, 0.0, 0.0), ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))),
    "sagittal": Geometry((3, 12, 9), (2.0, 1.0, 1.5), (0.0, 0.0, 0.0), ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))),
    "as shown": Geometry((3, 12, 9), (2.0, 1.0, 1.5), (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize("grid", _GRIDS.values(), ids=_GRIDS.keys())
def test_labelme_lies_as_people_look_at_slices_and_goes_back_to_where_it_was(grid, tmp_path):
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    labels = np.zeros(grid.shape, np.int16)
    labels[:, 2:5, 1:4], labels[1, 8, 5] = 1, 2
    high = grid.mm_to_index(grid.centre + np.array((-3.0, -3.0, 3.0)))  # to the patient's right, front and head
    bright = np.zeros(grid.shape, np.int16)
    row, column = np.rint(np.clip(high, 0, np.array(grid.shape) - 1)).astype(int)[1:]
    bright[:, row, column] = 200
    for path, voxels in ((scan, bright), (mask, labels)):
        finish(save(Volume(voxels, grid, Domain.MR), path))
    assert convert(mask, "--output", tmp_path / "drawn", "--to", "labelme", "--scan", scan) == 0
    drawn = json.loads((tmp_path / "drawn" / "mask_0002.json").read_text())
    picture = np.array(Image.open(io.BytesIO(base64.b64decode(drawn["imageData"]))))
    row, column = np.argwhere(picture == picture.max())[0]
    assert row < picture.shape[0] / 2 and column < picture.shape[1] / 2  # right on the left, front or head up; nose to the left
    assert convert(tmp_path / "drawn", "--output", tmp_path / "back", "--to", "nifti", "--scan", scan) == 0
    np.testing.assert_array_equal(open_volume(tmp_path / "back" / "labels.nii.gz").voxels, labels)


def test_a_segmentation_keeps_the_names_of_its_labels(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, GRIDS[0].shape).astype(np.uint8)
    write_dicom_seg(labels, scan_on(GRIDS[0]), tmp_path / "seg.dcm", {1: "body", 2: "bone"})
    assert convert(tmp_path / "seg.dcm", "--output", tmp_path / "out") == 0
    assert (tmp_path / "out" / "class_names.txt").read_text().split() == ["_background_", "body", "bone"]
    np.testing.assert_array_equal(indices(tmp_path / "out" / "seg_0003.png"), labels[2])


def test_what_cannot_be_is_said_and_leaves_nothing_behind(drawings, tmp_path, capsys):
    scan = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((56, 40, 5), np.int16), np.eye(4)), scan)
    for words, said in (
        (("--to", "seg"), "Name it with --scan"), (("--to", "nifti"), "Name the scan with --scan"),
        (("--to", "nifti", "--scan", scan), "2 labelled pictures, the scan has 5 slices"),
        (("--labels", "body"), "'bone', which is not"),
        (("--to", "seg", "--scan", scan), "5 slices"), (("--labels", "no.txt"), "neither a file"),
    ):  # fmt: skip
        assert convert(drawings / "p0", "--output", tmp_path / "out", *words) == 1
        assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert convert(scan, "--output", tmp_path / "out", "--to", "seg", "--scan", scan) == 1
    assert "lies over DICOM images" in capsys.readouterr().err
