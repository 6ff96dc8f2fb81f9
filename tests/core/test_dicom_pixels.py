"""DICOM pixels as files store them: colours that are grey, tables, wide values, padding, compressed code that lies."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)  # fmt: skip

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish, never
from ctmri_core.io import dicom_pixels
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_codestream import jpeg2000_claim, jpeg_claim
from ctmri_core.io.dicom_pixels import SliceReader

ROWS, COLUMNS = 8, 12


def item(**attributes):
    data = Dataset()
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def picture(stored, *, modality="MR", **attributes):
    """One slice of `stored` (rows, columns) or (rows, columns, 3). Attributes override or, with None, remove."""
    data = item(SOPClassUID=CTImageStorage if modality == "CT" else MRImageStorage, SOPInstanceUID=generate_uid())
    data.Modality, data.SeriesInstanceUID, data.StudyInstanceUID, data.PatientName = modality, "1.2.4", "1.2", "Doe^Jane"
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [1, 1], 1
    data.Rows, data.Columns = stored.shape[:2]
    colour = stored.ndim == 3
    data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * stored.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(stored.dtype.kind == "i")
    if modality == "CT":
        data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, -1024, "HU"
    data.PixelData = stored.tobytes()
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    if "PixelData" in data:
        data["PixelData"].VR = "OW" if data.BitsAllocated > 8 else "OB"
    return data


def saved(path, data, syntax=ExplicitVRLittleEndian, code=None):
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless and code is None else syntax
    if code is not None:
        data.PixelData = encapsulate([code])
        data["PixelData"].is_undefined_length = True
        data["PixelData"].VR = "OB"
    elif syntax == RLELossless:
        data.compress(RLELossless, generate_instance_uid=False)
    plain = {"implicit_vr": False, "little_endian": True} if data.file_meta.TransferSyntaxUID.is_private else {}
    data.save_as(path, enforce_file_format=True, **plain)
    return path


def load(path):
    (series,) = DICOM_READER.scan(path)
    return finish(DICOM_READER.load(series, never))


def numbers(low, high, dtype, shape=(ROWS, COLUMNS)):
    return np.random.default_rng(3).integers(low, high, shape, dtype, endpoint=True)


def grey(low=0, high=255):
    return np.repeat(numbers(low, high, np.uint8)[..., None], 3, axis=2)


def kinds(volume):
    return [finding.kind for finding in volume.findings if finding.kind != "single_slice"]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_a_colour_picture_that_is_grey_opens_and_says_so(tmp_path, syntax):
    values = grey()
    volume = load(saved(tmp_path / "a", picture(values), syntax))
    assert np.array_equal(volume.voxels[0], values[..., 0]) and volume.voxels.dtype == np.int16
    assert kinds(volume) == ["grey_colours"] and volume.findings[0].serious


def test_grey_in_planes_and_in_brightness_and_colour(tmp_path):
    values = grey()
    planes = picture(values, PlanarConfiguration=1, PixelData=np.moveaxis(values, 2, 0).tobytes())
    assert np.array_equal(load(saved(tmp_path / "planes", planes)).voxels[0], values[..., 0])
    values[..., 1:] = 128
    full = picture(values, PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(load(saved(tmp_path / "full", full)).voxels[0], values[..., 0])
    pairs = np.full((ROWS, COLUMNS // 2, 4), 128, np.uint8)
    pairs[..., :2] = values[..., 0].reshape(ROWS, -1, 2)
    half = picture(values, PhotometricInterpretation="YBR_FULL_422", PixelData=pairs.tobytes())
    assert np.array_equal(load(saved(tmp_path / "half", half)).voxels[0], values[..., 0])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_one_coloured_pixel_is_refused(tmp_path, syntax):
    values = grey()
    values[3, 4, 1] ^= 1
    with pytest.raises(FileRefused, match=r"colour picture \(RGB\)"):
        load(saved(tmp_path / "a", picture(values), syntax))


def palette(red, green, blue, entries=256, first=0, bits=8):
    tables = {"Red": red, "Green": green, "Blue": blue}
    return {
        f"{name}PaletteColorLookupTable{part}": value
        for name, table in tables.items()
        for part, value in (("Descriptor", [entries, first, bits]), ("Data", table.tobytes()))
    }


def test_a_palette_of_grey_levels_is_looked_up(tmp_path):
    stored, table = numbers(0, 255, np.uint8), np.arange(255, -1, -1, np.uint8)
    attributes = {"PhotometricInterpretation": "PALETTE COLOR"}
    volume = load(saved(tmp_path / "a", picture(stored, **attributes, **palette(table, table, table))))
    assert np.array_equal(volume.voxels[0], 255 - stored.astype(int)) and kinds(volume) == ["grey_colours"]
    with pytest.raises(FileRefused, match=r"colour picture \(PALETTE COLOR\)"):
        load(saved(tmp_path / "b", picture(stored, **attributes, **palette(table, table, table[::-1]))))
    with pytest.raises(FileRefused, match="does not hold the 256 entries"):
        load(saved(tmp_path / "c", picture(stored, **attributes, **palette(*[table[:100]] * 3))))


def test_a_modality_table_is_applied(tmp_path):
    stored, table = numbers(-20, 90, np.int16), np.arange(64, dtype=np.uint16) ** 2
    lut = item(ModalityLUTType="HU")
    lut.add_new(0x00283002, "SS", [64, -10, 16])
    lut.add_new(0x00283006, "US", table.tolist())
    data = picture(stored, modality="CT", ModalityLUTSequence=[lut], RescaleSlope=None, RescaleIntercept=None)
    volume = load(saved(tmp_path / "a", data))
    assert np.array_equal(volume.voxels[0], table[np.clip(stored + 10, 0, 63)])
    assert "not_hounsfield" not in kinds(volume)
    del data.ModalityLUTSequence[0].LUTData
    with pytest.raises(FileRefused, match=r"lookup table \(LUTDescriptor, LUTData\) is incomplete"):
        load(saved(tmp_path / "b", data))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("dtype", "slope"), [(np.int32, 1), (np.uint32, 1), (np.int32, 0.001)])
def test_whole_numbers_of_32_bit(tmp_path, syntax, dtype, slope):
    stored = numbers(0, 2000 if slope == 1 else 2_000_000, dtype)
    in_file = stored.byteswap() if syntax == ExplicitVRBigEndian else stored
    volume = load(saved(tmp_path / "a", picture(in_file, RescaleSlope=slope, RescaleIntercept=-5), syntax))
    assert volume.voxels.dtype == (np.int16 if slope == 1 else np.float32)
    assert np.allclose(volume.voxels[0], stored.astype(float) * slope - 5, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "keyword"), [(np.float32, "FloatPixelData"), (np.float64, "DoubleFloatPixelData")])
def test_floating_point_pixels(tmp_path, dtype, keyword):
    stored = np.random.default_rng(0).normal(0, 100, (ROWS, COLUMNS)).astype(dtype)
    attributes = {"PixelData": None, "BitsStored": None, "HighBit": None, "PixelRepresentation": None}
    data = picture(stored, **attributes, **{keyword: stored.tobytes()})
    assert np.allclose(load(saved(tmp_path / "a", data)).voxels[0], stored.astype(np.float32))
    stored[2, 3] = np.nan
    setattr(data, keyword, stored.tobytes())
    with pytest.raises(FileRefused, match="holds NaN or infinite values"):
        load(saved(tmp_path / "b", data))


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_compressed_monochrome1_is_treated_as_uncompressed_one(tmp_path, modality):
    stored = numbers(0, 4095, np.uint16)
    attributes = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11, "modality": modality}
    plain = load(saved(tmp_path / "a", picture(stored, **attributes))).voxels
    assert np.array_equal(load(saved(tmp_path / "b", picture(stored, **attributes), RLELossless)).voxels, plain)
    assert np.array_equal(plain[0], stored.astype(int) - 1024 if modality == "CT" else 4095 - stored.astype(int))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_overlays_do_not_count(tmp_path, syntax):
    values = numbers(-2048, 2047, np.int16)
    stored = (values.astype(np.uint16) & 0x0FFF) | (numbers(0, 15, np.uint16) << 12)
    data = picture(stored, BitsStored=12, HighBit=11, PixelRepresentation=1)
    data.add_new(0x60000010, "US", ROWS)
    data.add_new(0x60000011, "US", COLUMNS)
    data.add_new(0x60003000, "OW", bytes(ROWS * COLUMNS // 8))
    assert np.array_equal(load(saved(tmp_path / "a", data, syntax)).voxels[0], values)


def test_padding_of_a_ct_is_air_and_other_values_are_left(tmp_path):
    stored = numbers(0, 2000, np.int16)
    stored[0], stored[1] = -2000, -150
    volume = load(saved(tmp_path / "a", picture(stored, modality="CT", PixelPaddingValue=-2000)))
    expected = np.where(stored == -2000, -1024, stored - 1024)
    assert np.array_equal(volume.voxels[0], expected) and kinds(volume) == ["padding"]
    ranged = picture(stored, modality="CT", PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990)
    assert np.array_equal(load(saved(tmp_path / "b", ranged)).voxels[0], expected)


@pytest.mark.parametrize(("modality", "padding"), [("CT", 0), ("CT", 1024), ("MR", -2000)])
def test_padding_that_may_be_a_measurement_is_left_as_it_is(tmp_path, modality, padding):
    stored = numbers(0, 2000, np.int16)
    stored[0] = padding
    volume = load(saved(tmp_path / "a", picture(stored, modality=modality, PixelPaddingValue=padding)))
    assert np.array_equal(volume.voxels[0], stored - (1024 if modality == "CT" else 0)) and kinds(volume) == []


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000"),
        ("1.2.840.10008.1.2.4.102", r"MPEG-4 AVC/H\.264"),
        ("1.2.3.4.5", "a private transfer syntax"),
    ],
)
def test_syntaxes_that_cannot_be_read_are_named(tmp_path, syntax, words):
    path = saved(tmp_path / "a", picture(numbers(0, 9, np.uint16)), syntax, b"code")
    with pytest.raises(FileRefused, match=words) as caught:
        load(path)
    assert "1.2.3.4.5" not in str(caught.value)


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        (SecondaryCaptureImageStorage, "of the kind Secondary Capture Image, which has no position and orientation"),
        ("1.2.840.10008.5.1.4.1.1.1", "of the kind Computed Radiography Image, which has no position"),
        ("1.2.3", "holds a picture that has no position"),
    ],
)
def test_pictures_without_a_place_are_told_by_their_kind(tmp_path, uid, words):
    data = picture(numbers(0, 9, np.uint16), SOPClassUID=uid, ImagePositionPatient=None)
    with pytest.raises(FileRefused, match=words):
        DICOM_READER.scan(saved(tmp_path / "a", data))


def test_data_without_pixels_are_told_by_their_kind(tmp_path):
    data = picture(numbers(0, 9, np.uint16), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", PixelData=None)
    with pytest.raises(FileRefused, match="holds data of the kind Comprehensive SR, without any pixels"):
        DICOM_READER.scan(saved(tmp_path / "a", data))


def jpeg(rows, columns, bits=8, samples=1, marker=0xC0):
    """A beginning of JPEG code with a comment before the frame."""
    return (
        b"\xff\xd8\xff\xfe\0\x06text\xff" + bytes([marker]) + struct.pack(">HBHHB", 11, bits, rows, columns, samples) + bytes(20)
    )


def jpeg2000(rows, columns, bits=16, samples=1):
    sizes = struct.pack(">HHIIIIIIII", 41, 0, columns + 5, rows + 7, 5, 7, columns, rows, 0, 0)
    return b"\xff\x4f\xff\x51" + sizes + struct.pack(">HBBB", samples, bits - 1, 1, 1) + bytes(20)


def test_what_code_says_of_itself():
    assert jpeg_claim(jpeg(30, 40, 12, 3, 0xF7)) == (30, 40, 3, 12)
    assert jpeg2000_claim(jpeg2000(30, 40, 13)) == (30, 40, 1, 13)
    assert jpeg_claim(b"\xff\xd8" + b"\xff\xfe\0\x02" * 50) is None and jpeg_claim(b"\xff") is None


@pytest.mark.parametrize(
    ("syntax", "code", "words"),
    [
        (JPEGBaseline8Bit, jpeg(60000, 60000), f"is 60000 x 60000, its header says {ROWS} x {COLUMNS}"),
        (JPEGLSLossless, jpeg(ROWS, COLUMNS, 16, 3, 0xF7), "has 3 x 16 bits, its header says 1 x 16"),
        (JPEG2000Lossless, jpeg2000(60000, 60000), f"is 60000 x 60000, its header says {ROWS} x {COLUMNS}"),
        (JPEG2000Lossless, jpeg2000(ROWS, COLUMNS, 38), "has 1 x 38 bits"),
        (JPEG2000Lossless, jpeg2000(ROWS, COLUMNS), "cannot be decoded"),
        (JPEGBaseline8Bit, b"no code at all", "cannot be decoded"),
        (RLELossless, struct.pack("<16I", 15, *[64] * 15) + bytes(40), "cannot be decoded"),
    ],
)
def test_code_that_is_not_what_the_header_says_is_refused(tmp_path, syntax, code, words):
    path = saved(tmp_path / "a", picture(numbers(0, 9, np.uint16)), syntax, code)
    with pytest.raises(FileRefused, match=words):
        load(path)


def test_after_one_slice_no_other_is_tried(tmp_path, monkeypatch):
    path = saved(tmp_path / "a", picture(numbers(0, 9, np.uint16)), JPEGBaseline8Bit, b"no code at all")
    (series,) = DICOM_READER.scan(path)
    (header,), target, reader = series.details.headers, np.empty((ROWS, COLUMNS), np.int16), SliceReader()
    with pytest.raises(FileRefused, match="cannot be decoded"):
        reader.read(header, target)
    monkeypatch.setattr(dicom_pixels, "shared_reader", None)
    with pytest.raises(FileRefused, match="cannot be decoded"):
        reader.read(header, target)


def test_a_long_sequence_across_the_first_read_is_no_damage(tmp_path):
    data = picture(numbers(0, 9, np.int16), modality="CT", SourceImageSequence=[item(ReferencedSOPInstanceUID="1.2")] * 2000)
    data["SourceImageSequence"].is_undefined_length = True
    assert load(saved(tmp_path / "a", data)).geometry.shape == (1, ROWS, COLUMNS)


def test_a_header_without_end_is_given_up(tmp_path):
    path = saved(tmp_path / "a", picture(numbers(0, 9, np.int16), modality="CT"))
    content = path.read_bytes()
    start = content.index(b"\x10\0\x10\0PN")
    filler = b"".join(struct.pack("<HH", 0x0009 + 2 * (n >> 16), n & 0xFFFF) + b"SH\0\0" for n in range(300_000))
    path.write_bytes(content[:start] + filler + content[start:])
    with pytest.raises(FileRefused, match="its DICOM header is damaged"):
        DICOM_READER.scan(path)
