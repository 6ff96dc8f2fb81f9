from __future__ import annotations

import gzip
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.header_entry import HIDDEN, MOST_ENTRIES, Entries, differing, one_line
from ctmri_core.io.header_safe import is_safe
from ctmri_core.io.header_view import header_entries, series_header, volume_header
from ctmri_core.io.opening import load, scan
from ctmri_core.io.saving import save
from ctmri_core.io.series import Series
from ctmri_core.volume import Synthetic, Volume
from tests.hostile.identifiers import plant_files, plant_series

SECRET = "DOE^JANE"


def entries_of(*files: Path, number: int = 0):
    return header_entries(Series(files[0], "any", Domain.CT, "", files), number)


def by_name(entries) -> dict[str, object]:
    return {entry.name if entry.tag.startswith("(") else entry.tag: entry for entry in entries}


def slice_file(path: Path, syntax=ExplicitVRLittleEndian, **values) -> Path:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.4"
    dataset.Modality, dataset.PatientName, dataset.PatientID = "CT", SECRET, "471108"
    dataset.Rows = dataset.Columns = 2
    dataset.InstanceNumber = 5
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.BitsAllocated = 16
    dataset.PixelData = bytes(8)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def test_every_element_is_listed_as_pydicom_reads_it(tmp_path):
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.CodeMeaning = CTImageStorage, SECRET
    path = slice_file(
        tmp_path / "a.dcm", ReferencedImageSequence=Sequence([inner, inner]), ImageType=["ORIGINAL", "PRIMARY", "AXIAL"]
    )
    entries = entries_of(path)
    again = pydicom.dcmread(path)
    listed = [entry.tag for entry in entries if entry.depth == 0]
    tags = [*again.file_meta, *again]
    assert listed == [f"({e.tag.group:04X},{e.tag.elem:04X})" for e in tags if e.keyword != "PixelData"]
    named = by_name(entries)
    assert named["ImageType"].value == "ORIGINAL\\PRIMARY\\AXIAL"
    assert named["Rows"].safe_value == "2"
    assert named["SOPClassUID"].safe_value == "CT Image Storage (1.2.840.10008.5.1.4.1.1.2)"
    assert (named["PatientName"].value, named["PatientName"].safe_value) == (SECRET, HIDDEN)
    assert named["SOPInstanceUID"].identifying
    at = next(n for n, entry in enumerate(entries) if entry.name == "ReferencedImageSequence")
    below = [(entry.depth, entry.tag) for entry in entries[at : at + 5]]
    assert below == [(0, "(0008,1140)"), (1, "Item 1"), (2, "(0008,0104)"), (2, "(0008,1150)"), (1, "Item 2")]
    assert SECRET not in repr(entries)


def test_a_deflated_header_is_read_in_the_reader_process(tmp_path):
    named = by_name(entries_of(slice_file(tmp_path / "a.dcm", DeflatedExplicitVRLittleEndian)))
    assert named["Rows"].value == "2"
    assert named["PatientName"].value == SECRET


def test_planted_identifiers_are_all_hidden_and_none_is_lost(tmp_path):
    planted = plant_series(tmp_path)
    entries = entries_of(*sorted(planted.path.iterdir()))
    seen = "\n".join(f"{e.tag} {e.name} {e.kind} {e.safe_value}" for e in entries).upper()
    assert not [token for token in planted.tokens if token.upper() in seen]
    whole = "\n".join(entry.value for entry in entries)
    assert sum(token in whole for token in planted.tokens) > 300


def test_planted_identifiers_in_other_formats_are_hidden(tmp_path):
    for planted in plant_files(tmp_path):
        files = (planted.path,) if planted.path.is_file() else tuple(sorted(planted.path.iterdir()))
        entries = entries_of(*files)
        assert len(entries) > 3
        seen = "\n".join(f"{e.tag} {e.name} {e.kind} {e.safe_value}" for e in entries).upper()
        assert not [token for token in planted.tokens | planted.names if token.upper() in seen], planted.path.suffix


@pytest.mark.parametrize(
    ("keyword", "value", "safe"),
    [
        ("Rows", 512, True), ("SliceThickness", "1.25", True), ("SliceThickness", "Doe", False), ("KVP", "", True),
        ("InstanceNumber", "19620413", False), ("InstanceNumber", "12", True), ("SliceLocation", "-28.5", True),
        ("Modality", "CT", True), ("Modality", "DOE", False), ("ImageType", "AXIAL", True), ("ImageType", "JANE", False),
        ("PatientSex", "F", False), ("PatientAge", "061Y", False), ("StudyDate", "20240101", False),
        ("SeriesDescription", "HEAD", False), ("SOPClassUID", CTImageStorage, True), ("SOPClassUID", "1.2.3.4.5", False),
        ("", "anything", False), ("ConvolutionKernel", "H30s", False), ("Manufacturer", "SIEMENS", True),
        ("Manufacturer", "Dr. Doe", False), ("SpecificCharacterSet", "ISO_IR 192", True), ("WindowCenter", "1_0", False),
        ("WindowWidth", "nan", False), ("BodyPartExamined", "HEAD", False),
    ],
)  # fmt: skip
def test_only_what_cannot_identify_is_on_the_list(keyword, value, safe):
    assert is_safe(keyword, [value], ("19620413",)) is safe


def test_damage_is_shown_as_such_and_what_stands_before_it_as_it_is(tmp_path):
    content = slice_file(tmp_path / "a.dcm").read_bytes()
    odd = tmp_path / "odd.dcm"
    place = content.index(struct.pack("<HH", 0x20, 0x13))
    odd.write_bytes(content[:place] + struct.pack("<HH2sH", 0x18, 0x9305, b"FD", 3) + b"Doe" + content[place:])
    named = by_name(entries_of(odd))
    assert named["RevolutionTime"].safe_value == "damaged value (3 bytes)"
    assert named["Rows"].value == "2"
    broken = tmp_path / "broken.dcm"
    at = content.index(struct.pack("<HH", 0x28, 0x10))
    broken.write_bytes(content[:at] + b"\xff" * 40)
    entries = entries_of(broken)
    assert by_name(entries)["Modality"].value == "CT"
    assert "damaged" in entries[-1].name
    for length in range(140, len(content), 7):  # cut anywhere, nothing but the end is lost
        broken.write_bytes(content[:length])
        assert len(entries_of(broken)) >= 1


def test_bounds_of_count_depth_and_length_hold(tmp_path):
    deep = Dataset()
    for _ in range(30):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([deep])
        deep = outer
    entries = entries_of(slice_file(tmp_path / "a.dcm", ReferencedImageSequence=Sequence([deep]), ImageComments="x" * 9000))
    assert max(entry.depth for entry in entries) <= 18
    assert any("deeper levels" in entry.name for entry in entries)
    assert len(by_name(entries)["ImageComments"].value) < 300
    many = Entries(3)
    for n in range(9):
        many.add(str(n), "", "")
    assert len(many.done()) == 4
    assert "more than 3" in many.done()[-1].name
    assert MOST_ENTRIES <= 10_000
    assert one_line("a\x1b[31m\nb\u202e") == "a [31m b"


def test_nifti_fields_have_the_values_nibabel_gives(tmp_path):
    path = tmp_path / "a.nii.gz"
    image = nib.Nifti1Image(np.zeros((4, 3, 2), np.int16), np.diag([-2.0, -2.0, 3.0, 1.0]))
    image.header["descrip"] = SECRET.encode()
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, SECRET.encode()))
    nib.save(image, path)
    named = by_name(entries_of(path))
    for field in nib.Nifti1Header.template_dtype.names:
        assert field in named
    assert named["dim"].value == "3 4 3 2 1 1 1 1"
    assert named["srow_z"].value == "0 0 3 0"
    assert (named["descrip"].value, named["descrip"].safe_value) == (SECRET, HIDDEN)
    assert named["extension 1"].value.startswith("code 6")
    assert SECRET not in "".join(entry.value for entry in named.values() if entry.tag != "descrip")


def test_text_headers_show_known_keys_and_hide_the_rest(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4), np.int16))
    for suffix, size in (("mha", "DimSize"), ("nrrd", "sizes")):
        path = tmp_path / f"a.{suffix}"
        image.SetMetaData("JaneDoe", "4711")
        sitk.WriteImage(image, str(path))
        entries = entries_of(path)
        named = by_name(entries)
        assert named[size].safe_value == "4 3 2"
        assert not [entry for entry in entries if "JaneDoe" in entry.tag + entry.name + entry.safe_value]
        assert any("JaneDoe" in entry.value for entry in entries)


def test_mgz_and_analyze(tmp_path):
    nib.save(nib.MGHImage(np.zeros((4, 3, 2), np.float32), np.diag([1.0, 2.0, 3.0, 1.0])), tmp_path / "a.mgz")
    named = by_name(entries_of(tmp_path / "a.mgz"))
    assert named["width, height, depth, frames"].value == "4 3 2 1"
    assert named["spacing"].value == "1 2 3"
    header = nib.AnalyzeImage(np.zeros((4, 3, 2), np.int16), np.eye(4))
    header.header["descrip"] = SECRET.encode()
    nib.save(header, tmp_path / "b.hdr")
    named = by_name(entries_of(tmp_path / "b.hdr", tmp_path / "b.img"))
    assert named["dim"].value.startswith("3 4 3 2") or named["dim"].value.startswith("4 4 3 2")
    assert named["descrip"].safe_value == HIDDEN
    cut = tmp_path / "cut.mgz"
    cut.write_bytes(gzip.compress(b"\0\0\0\1\0\0"))
    assert "ends within its header" in entries_of(cut)[0].name


def test_pictures(tmp_path):
    text = PngInfo()
    text.add_text("Patient", SECRET)
    grey = Image.fromarray(np.zeros((5, 7), np.uint8))
    grey.save(tmp_path / "a.png", pnginfo=text)
    grey.save(tmp_path / "a.jpg", comment=SECRET)
    grey.save(tmp_path / "a.tif", description=SECRET)
    named = by_name(entries_of(tmp_path / "a.png"))
    assert (named["width"].value, named["height"].value) == ("7", "5")
    assert named["text"].safe_value == HIDDEN
    assert by_name(entries_of(tmp_path / "a.jpg"))["SOF0"].value.startswith("7 x 5")
    named = by_name(entries_of(tmp_path / "a.tif"))
    assert (named["256"].value, named["257"].value) == ("7", "5")
    assert (named["270"].value, named["270"].safe_value) == (SECRET, HIDDEN)
    for name in ("a.png", "a.jpg", "a.tif"):
        content = (tmp_path / name).read_bytes()
        for length in range(8, len(content), 5):
            (tmp_path / name).write_bytes(content[:length])
            assert all(entry.safe_value != SECRET for entry in entries_of(tmp_path / name))


def test_the_slice_is_chosen_where_slices_have_files_of_their_own(tmp_path):
    files = tuple(slice_file(tmp_path / f"{n}.dcm", InstanceNumber=n) for n in range(3))
    series = Series(tmp_path, "DICOM", Domain.CT, "", files)
    header = series_header(series, 2)
    assert (header.number, header.count) == (2, 3)
    assert by_name(header.entries)["InstanceNumber"].value == "2"
    others = header_entries(series, 1)
    assert {header.entries[n].name for n in differing(header.entries, others)} == {"InstanceNumber"}
    with pytest.raises(FileRefused, match="no slice 4"):
        header_entries(series, 3)
    with pytest.raises(FileRefused, match="does not exist"):
        entries_of(tmp_path / "gone.dcm")
    (tmp_path / "x.txt").write_text("nothing of the kind")
    with pytest.raises(FileRefused, match="no header"):
        entries_of(tmp_path / "x.txt")


def test_the_record_beside_a_file_of_ours_and_a_volume_made_here(tmp_path):
    grid = Geometry((2, 3, 4), (3.0, 2.0, 1.0))
    made = Synthetic("A model", "ab" * 32, {"recipe": {"steps": ["one", "two"]}})
    volume = Volume(np.zeros((2, 3, 4), np.float32), grid, Domain.MR_T1, synthetic=made, history=("made",))
    path = finish(save(volume, tmp_path / "a.nii.gz"))
    named = by_name(entries_of(path))
    assert named["model name"].value == "A model"
    assert named["descrip"].safe_value.startswith("synthetic")
    again = finish(load(scan(path)[0]))
    assert by_name(volume_header(again).entries)["model name"].value == "A model"
    here = volume_header(volume)
    named = by_name(here.entries)
    assert (here.count, named["model"].value, named["mm along k, j, i"].value) == (1, "A model", "3.0 2.0 1.0")
    assert json.loads((tmp_path / "a.nii.gz.provenance.json").read_text())["model_name"] == "A model"
    assert replace(volume, files=(path,)).files == (path,)
    assert zlib.crc32(b"A model") == named["model"].checksum


def test_the_command_line_hides_what_may_identify_unless_asked(tmp_path, capsys):
    from ctmri_core.cli import main

    planted = plant_series(tmp_path)
    assert main(["info", str(planted.path), "--header", "--slice", "2"]) == 0
    told = capsys.readouterr()
    assert "header of slice 2 of 3" in told.out
    assert "(0028,0010) Rows [US]: " in told.out
    assert HIDDEN in told.out
    assert not [token for token in planted.tokens if token.lower() in (told.out + told.err).lower()]
    assert main(["info", str(planted.path), "--header", "--identifying", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    name = next(field for field in report["header"] if field["name"] == "PatientName")
    assert name["identifying"]
    assert name["value"] != HIDDEN


def test_real_headers_of_every_format(shared_data):
    seen = set()
    for path in sorted((shared_data / "odd_files").rglob("*")):
        if path.suffix.lower() in (".dcm", ".nii", ".gz", ".mgz", ".png", ".mha") and path.suffix not in seen and path.is_file():
            try:
                entries = entries_of(path)
            except FileRefused:
                continue
            assert len(entries) >= 5, path.name
            seen.add(path.suffix)
    assert len(seen) >= 4
