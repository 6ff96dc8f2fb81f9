"""What is known of a translated image goes with it into every format and comes back: run, recipe, weights, inputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from ctmri_core import __version__
from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.translate import translate
from ctmri_core.io.export_rules import missing_marks
from ctmri_core.io.hashes import voxels_sha256
from ctmri_core.io.header_view import volume_header
from ctmri_core.io.opening import open_volume
from ctmri_core.io.provenance import parsed, provenance_of
from ctmri_core.io.saving import save
from ctmri_core.model_card import read_card
from ctmri_core.model_file import load_model, save_model
from ctmri_core.phantom import make_head
from ctmri_core.resources_folder import resources_folder
from ctmri_core.volume import DicomSource, Synthetic, Volume

MODEL = resources_folder() / "models" / "phantom_ct_to_mr_t1.safetensors"
FORMATS = ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "png", "series"]
UIDS = {"study_uid": "1.2.3.4", "series_uid": "1.2.3.4.5", "frame_of_reference_uid": "1.2.3.9"}


@pytest.fixture(scope="module")
def source() -> Volume:
    head = make_head(97, voxel_mm=4.0, table=False)[Domain.CT]
    size = (6, *head.geometry.shape[1:])
    head = replace(head, voxels=head.voxels[20:26].copy(), geometry=head.geometry.cropped((20, 0, 0), size))
    known = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}, "00100020": {"vr": "LO", "Value": ["QZ4711XK"]}}
    images = tuple(f"1.2.3.4.5.{k}" for k in range(len(head.voxels)))
    dicom = DicomSource("1.2.3.4", "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.9", images, known)
    return replace(head, dicom=dicom, phantom=False, frame_of_reference="1.2.3.9")


@pytest.fixture(scope="module")
def made(source) -> Volume:
    return finish(translate(source, MODEL, device="cpu", batch=4))


def written(made, source, target, **options):
    """(what it is opened as, its sidecar)."""
    finish(save(made, target, source=source, slices="png" if target.name == "png" else "dicom", **options))
    beside = target if target.is_dir() else target.parent
    (sidecar,) = beside.glob("*.provenance.json")
    return open_volume(target), json.loads(sidecar.read_text())


@pytest.mark.parametrize("name", FORMATS)
def test_a_result_says_how_and_of_what_it_was_made_in_every_format(made, source, tmp_path, name):
    again, sidecar = written(made, source, tmp_path / name)
    card, details = read_card(MODEL), again.synthetic.details
    assert (again.synthetic.model_name, again.synthetic.model_hash) == (card.name, card.weights_sha256)
    assert details["inputs"] == [{**UIDS, "images": len(source.voxels)}] and sidecar["model_details"] == details
    assert details["recipe"] == card.recipe.model_dump(mode="json") and details["program_version"] == __version__
    assert details["device"] == "cpu" and details["precision"].startswith(("float32", "bfloat16")) and details["seed"] == 0
    assert details["verified"] is True and details["planes"] == ["axial"] and details["batch"] == 4
    assert {key: details[key] for key in made.synthetic.details} == json.loads(json.dumps(made.synthetic.details))
    assert sidecar["voxels_sha256"] == voxels_sha256(again.voxels) and sidecar["program"] == f"CT-MRI Studio {__version__}"
    assert again.history[: len(made.history)] == made.history
    assert "Doe" not in json.dumps(sidecar) and "QZ4711XK" not in json.dumps(sidecar) and str(tmp_path) not in json.dumps(sidecar)


def test_the_record_stands_inside_of_every_dicom_file_and_the_run_in_words(made, source, tmp_path):
    finish(save(made, tmp_path / "s", source=source))
    for path in (tmp_path / "s").glob("*.dcm"):
        slice_ = pydicom.dcmread(path)
        record = json.loads(slice_.private_block(0x0071, "CT-MRI STUDIO")[0x01].value)
        assert record["model_details"]["inputs"][0]["series_uid"] == UIDS["series_uid"] and record["synthetic"]
        words = slice_.ContributingEquipmentSequence[0].ContributionDescription
        assert "device cpu" in words and "seed 0" in words and "planes axial" in words and "precision" in words
        assert missing_marks(path) == ()
        del slice_[0x00711001]
        pydicom.dcmwrite(tmp_path / "cut.dcm", slice_)
        assert "record of how it was made" in missing_marks(tmp_path / "cut.dcm")


@pytest.mark.parametrize(
    ("creator", "content"),
    [("CT-MRI STUDIO", "no record"), ("CT-MRI STUDIO", "[" * 99_999), ("SOMEBODY", '{"model_hash": "x"}'), ("CT-MRI STUDIO", "")],
    ids=["text", "deep", "foreign", "empty"],
)
def test_a_damaged_or_foreign_record_is_passed_over(made, source, tmp_path, creator, content):
    finish(save(made, tmp_path / "s", source=source))
    for path in (tmp_path / "s").glob("*.dcm"):
        slice_ = pydicom.dcmread(path)
        del slice_[0x00711001], slice_[0x00710010]
        slice_.private_block(0x0071, creator, create=True).add_new(1, "UT", content)
        pydicom.dcmwrite(path, slice_)
    again = open_volume(tmp_path / "s")
    assert again.synthetic.model_hash == made.synthetic.model_hash and again.synthetic.details == {}
    assert missing_marks(tmp_path / "s" / "IMG00001.dcm") != ()


def test_a_record_of_other_weights_does_not_count(made, source, tmp_path):
    finish(save(made, tmp_path / "s", source=source))
    for path in (tmp_path / "s").glob("*.dcm"):
        slice_ = pydicom.dcmread(path)
        slice_[0x00711001].value = slice_[0x00711001].value.replace(made.synthetic.model_hash, "0" * 64)
        pydicom.dcmwrite(path, slice_)
    assert open_volume(tmp_path / "s").synthetic.details == {}


def test_without_identifiers_hashes_lead_back(made, source, tmp_path):
    finish(save(replace(source, dicom=None), tmp_path / "in.nii.gz"))
    scan = open_volume(tmp_path / "in.nii.gz")
    result = replace(made, dicom=None)
    (told,) = written(result, scan, tmp_path / "out" / "a.nii.gz" if (tmp_path / "out").mkdir() is None else None)[1][
        "model_details"]["inputs"]  # fmt: skip
    assert told == {
        "voxels_sha256": voxels_sha256(source.voxels),
        "files_sha256": hashlib.sha256((tmp_path / "in.nii.gz").read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_read_from_a_file_is_handed_on(made, source, tmp_path, name):
    (tmp_path / "b").mkdir()
    first, _ = written(made, source, tmp_path / name)
    second, _ = written(first, None, tmp_path / "b" / "c.nii.gz")
    assert second.synthetic.details["inputs"] == first.synthetic.details["inputs"] != []


@pytest.mark.parametrize("name", FORMATS)
def test_under_a_pseudonym_nothing_leads_back_and_the_run_is_told_all_the_same(made, source, tmp_path, name):
    again, sidecar = written(made, source, tmp_path / name, deidentify=True)
    beside = tmp_path / name if (tmp_path / name).is_dir() else tmp_path
    content = b"".join(path.read_bytes() for path in beside.rglob("*") if path.is_file())
    hashes = (voxels_sha256(source.voxels), provenance_of(source).voxels_sha256)
    assert not any(word.encode() in content for word in (*UIDS.values(), *hashes, "Doe", "QZ4711XK", "inputs", "source_history"))
    assert sidecar["model_details"]["seed"] == 0 and sidecar["model_details"]["device"] == "cpu" and sidecar["history"] == []
    if name == "series":
        slice_ = pydicom.dcmread(tmp_path / name / "IMG00001.dcm")
        assert not any(element.tag.is_private for element in slice_)
        assert "device cpu" in slice_.ContributingEquipmentSequence[0].ContributionDescription
    else:
        assert again.synthetic.details == sidecar["model_details"]


@pytest.mark.parametrize("shipped", [True, False])
def test_that_nobody_verified_a_model_is_told_in_exports(made, source, tmp_path, shipped):
    if not shipped:
        network, card = load_model(MODEL)
        weights = {name: value * 0.999 for name, value in network.state_dict().items()}
        save_model(tmp_path / "other.safetensors", weights, card)
        made = finish(translate(source, tmp_path / "other.safetensors", device="cpu", batch=4))
    finish(save(made, tmp_path / "s", source=source))
    slice_ = pydicom.dcmread(tmp_path / "s" / "IMG00001.dcm")
    assert ("model unverified" in slice_.ContributingEquipmentSequence[0].ContributionDescription) != shipped
    assert open_volume(tmp_path / "s").synthetic.details["verified"] == shipped


def test_unknown_details_are_not_given_away(source, tmp_path):
    made = replace(source, synthetic=Synthetic("m", "ab" * 32, {"seed": 3, "note": "Jane", "body": {"sha256": "cd" * 32}}))
    assert written(made, source, tmp_path / "a.nii.gz", deidentify=True)[1]["model_details"] == {"seed": 3}


def test_the_header_browser_says_what_was_done_and_hides_what_leads_back(made, source, tmp_path):
    again, _ = written(made, source, tmp_path / "series")
    entries = volume_header(again, len(made.voxels) - 1).entries
    assert entries[0].tag == "what was done" and any(one.tag == "seed" and one.value == "0" for one in entries)
    led = [one for one in entries if one.value in UIDS.values() and one.tag.endswith("uid")]
    assert len(led) >= 3 and all(one.identifying for one in led)


def test_a_record_is_bounded_and_never_trusted_blindly():
    good = provenance_of(Volume(np.zeros((1, 8, 8), np.int16), Geometry((1, 8, 8), (1, 1, 1)), Domain.CT))
    assert parsed(good.model_dump_json()) == good
    for text in ("", "{", "[]", "null", '{"program": 1}', "[" * 100_000, b"\xff\xfe", '{"a": NaN}'):
        assert parsed(text) is None
