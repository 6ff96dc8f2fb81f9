"""Masks of people on their way into prepared slices: from the layouts that have them, exactly, and never without being asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctmri_core.cli import main
from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.domains_there import domains_there
from ctmri_core.data.preparation import open_dataset
from ctmri_core.data.source_stamp import stamp_of
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.io.voc_palette import voc_palette
from tests.teaching.drawings import disc, drawing


def patient(folder: Path, name: str, radius: float) -> np.ndarray:
    """CT and MR slices of a disc; its mask reaches three pixels beyond it, as people draw them."""
    (folder / name).mkdir(parents=True)
    drawn = disc(radius + 3, 255)
    Image.fromarray((disc(radius, 1064)).astype(np.uint16)).save(folder / name / "ct_axial.png")
    Image.fromarray(disc(radius, 200).astype(np.uint8)).save(folder / name / "mr_t1_axial.png")
    Image.fromarray(drawn.astype(np.uint8)).save(folder / name / "mask_axial.png")
    return drawn > 0


def prepared(folder: Path, out: Path, domains: str) -> DatasetFolder:
    words = ["prepare", str(folder), "--out", str(out), "--domains", domains, "--no-check", "--validation-share", "0.34"]
    assert main(words) == 0
    return DatasetFolder(out)


def test_a_drawn_mask_is_learnt_from_as_it_is_drawn(tmp_path):
    drawn = [patient(tmp_path / "scans", f"p{n}", 16 + n) for n in range(3)]
    assert domains_there(str(tmp_path / "scans")) == (Domain.CT, Domain.MR_T1, Domain.MASK)
    dataset = prepared(tmp_path / "scans", tmp_path / "out", "ct,mr_t1,mask")
    index = dataset.read()
    areas = sorted(int(each.sum()) for each in drawn)
    found = []
    for case in index.cases:
        planes = case.prepared_in(dataset.path).mapped()
        assert case.domains == (Domain.CT, Domain.MR_T1, Domain.MASK) and set(np.unique(planes[:, 2])) == {0, 1}
        found.append(int((planes[:, 2] > 0).sum()))
        assert (planes[:, 3] > 0).sum() < found[-1]  # the outline that is found lies within
    assert sorted(found) == areas
    data = open_dataset(dataset, "", Direction(Domain.MR_T1, Domain.MASK))
    batch = next(data.train.whole_batches([0], 1))
    assert set(batch.pictures) == {Domain.MR_T1, Domain.MASK} and batch[Domain.MASK].unique().tolist() == [0, 1]


def test_masks_that_were_not_prepared_are_missed_in_words(tmp_path):
    for n in range(3):
        patient(tmp_path / "scans", f"p{n}", 16 + n)
    dataset = prepared(tmp_path / "scans", tmp_path / "out", "ct,mr_t1")
    assert all(Domain.MASK not in case.domains for case in dataset.read().cases)
    with pytest.raises(TrainingFailed, match=r"hold no mask; they hold ct, mr_t1\. Prepare folders with masks"):
        open_dataset(dataset, "", Direction(Domain.CT, Domain.MASK))
    words = ["train", "deeplab_v3_plus", "--data", str(tmp_path / "out"), "--run", str(tmp_path / "run"), "--iterations", "1"]
    with pytest.raises(SystemExit):
        main(words)
    with pytest.raises(SystemExit):
        main(["prepare", str(tmp_path / "scans"), "--out", str(tmp_path / "other"), "--domains", "mask,ct"])


def test_a_voc_layout_brings_labels_sides_and_what_is_left_open(tmp_path):
    for name in ("PNGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (tmp_path / "voc" / name).mkdir(parents=True)
    labels = disc(20, 1, (8, 3))
    labels[0] = 255
    for n in range(3):
        Image.fromarray(disc(20, 150 + n).astype(np.uint8)).save(tmp_path / "voc" / "PNGImages" / f"p{n}_007.png")
        mask = Image.fromarray(labels.astype(np.uint8))
        mask.putpalette(voc_palette())
        mask.save(tmp_path / "voc" / "SegmentationClass" / f"p{n}_007.png")
    lists = tmp_path / "voc" / "ImageSets" / "Segmentation"
    (lists / "train.txt").write_text("p0_007\np1_007\n")
    (lists / "val.txt").write_text("p2_007\n")
    source = find_cases(tmp_path / "voc", (Domain.MR_T1, Domain.MASK))
    assert source.layout == "voc" and [case.side for case in source.cases] == ["train", "train", "validation"]
    assert domains_there(str(tmp_path / "voc")) == ()  # nobody says what the pictures show
    dataset = prepared(tmp_path / "voc", tmp_path / "out", "mr_t1,mask")
    for case in dataset.read().cases:
        np.testing.assert_array_equal(case.prepared_in(dataset.path).mapped()[0, 1], labels)


def test_a_folder_of_labelme_files_is_learnt_from_as_it_is(tmp_path, capsys):
    scans = tmp_path / "drawn"
    drawing(scans / "p1" / "a.json", ("tumour", 20, 10), ("body", 5, 4))
    drawing(scans / "p2" / "b.json", ("tumour", 22, 12), embedded=False, linked="D:\\scans\\b.png")
    drawing(scans / "p3" / "c.json", ("body", 10, 30), embedded=False, linked="c.png")
    (scans / "p3" / "settings.json").write_text('{"shapes of": "another program"}')
    assert domains_there(str(scans)) == ()  # nobody says what the pictures show
    source = find_cases(scans, (Domain.MR_T1, Domain.MASK))
    assert source.layout == "labelme" and [case.patient for case in source.cases] == ["p1", "p2", "p3"]
    dataset = prepared(scans, tmp_path / "out", "mr_t1,mask")
    assert "Labels by number: 1 body, 2 tumour." in capsys.readouterr().err
    found = {}
    for case in dataset.read().cases:
        planes = case.prepared_in(dataset.path).mapped()[0, 1]
        found[tuple(int((planes == label).sum()) for label in (1, 2))] = planes
    assert set(found) == {(16, 100), (0, 144), (900, 0)}
    assert (found[0, 144][22:34, 22:34] == 2).all() and (found[16, 100][5:9, 5:9] == 1).all()


def test_a_new_label_makes_slices_old_whose_numbers_it_changes(tmp_path):
    scans = tmp_path / "drawn"
    for n in range(3):
        drawing(scans / f"p{n}_001.json", ("body", 10, 20 + n))
    before = [stamp_of(case) for case in find_cases(scans, (Domain.CT, Domain.MASK)).cases]
    assert before == [stamp_of(case) for case in find_cases(scans, (Domain.CT, Domain.MASK)).cases]
    drawing(scans / "p2_001.json", ("air", 10, 20))
    after = find_cases(scans, (Domain.CT, Domain.MASK))
    assert after.cases[0].labels == ("air", "body") and stamp_of(after.cases[0]) != before[0]
    (scans / "labels.txt").write_text("__ignore__\n_background_\nbody\nair\n")
    listed = find_cases(scans, (Domain.CT, Domain.MASK)).cases
    assert listed[0].labels == ("body", "air") and [case.patient for case in listed] == ["p0_001", "p1_001", "p2_001"]
    assert set(np.unique(listed[0].load().labels)) == {0, 1} and set(np.unique(listed[2].load().labels)) == {0, 2}


def test_wrong_labelme_files_are_named_and_the_rest_go_on(tmp_path, capsys):
    scans = tmp_path / "drawn"
    for side, n in (("train", 1), ("train", 2), ("val", 3)):
        drawing(scans / side / f"p{n}.json", ("body", 10, 20))
    drawing(scans / "train" / "p4.json", ("body", 10, 20), size=(60, 60))
    broken = scans / "train" / "p5.json"
    broken.write_text((scans / "train" / "p1.json").read_text().replace('"rectangle"', '"cloud"'))
    dataset = prepared(scans, tmp_path / "out", "ct,mask")
    index, said = dataset.read(), capsys.readouterr().err
    assert sorted(case.side for case in index.cases if case.pictures) == ["train", "train", "validation"]
    assert "p5.json shapes[0].shape_type" in said.replace(":", "") and "p4.json" in said
