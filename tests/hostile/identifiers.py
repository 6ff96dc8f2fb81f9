"""Series and files full of identifiers, each of them unique, so that one left over anywhere is found and named.

`plant_series` fills every text attribute that a DICOM dictionary knows outside the few that opening needs, and all the places
beside them: private elements, nested sequences, overlays, curves, file meta information, preamble, trailing bytes, names of files
and folders. `plant_files` does the same to text headers, `plant_refused` to fields whose values make a file unusable.
`leaks` looks for what was planted, whatever its case, also inside deflated content.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.datadict import DicomDictionary, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, RLELossless

from ctmri_core.io.dicom_source import PATIENT_AND_STUDY

_ROOT = "1.2.826.0.1.3680043.9999"
_FREE_TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT", "DA", "DT", "TM"}
_ALL_TEXT = _FREE_TEXT | {"AE", "CS", "DS", "IS"}
_GROUPS = {
    0x0008: _ALL_TEXT, 0x0010: _ALL_TEXT, 0x0012: _ALL_TEXT, 0x0018: _FREE_TEXT, 0x0020: _FREE_TEXT, 0x0028: _FREE_TEXT,
    0x0032: _ALL_TEXT, 0x0038: _ALL_TEXT, 0x0040: _ALL_TEXT, 0x0088: _ALL_TEXT, 0x0400: _ALL_TEXT, 0x2030: _ALL_TEXT,
    0x2200: _ALL_TEXT, 0x4008: _ALL_TEXT,
}  # fmt: skip
_NEEDED = {
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "Modality", "ImageType", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "RescaleType", "LossyImageCompression", "SyntheticData", "QualityControlSubject", "BodyPartExamined",
    "Laterality", "PatientPosition", "PatientSex", "PatientAge", "PatientSize", "PatientWeight", "TimezoneOffsetFromUTC",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod",
}  # fmt: skip
"""Attributes that decide whether and how a series opens; those that identify are planted one by one."""
_SEQUENCE_GROUPS = (0x0008, 0x0010, 0x0012, 0x0032, 0x0038, 0x0040, 0x0400)
_DEPTH = 5


@dataclass
class Planted:
    """What was planted. `path`: what is to be opened.

    `tokens`: in contents, never to be seen again; `allowed` is the part of them that an ordinary derived series, one that is not
    de-identified, carries over. `names`: in names of files and folders: shown to whoever chose the file, never written.
    """

    path: Path
    tokens: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


class Tokens:
    """Makes unique values of any text VR and keeps them."""

    def __init__(self, first: int = 0) -> None:
        self.made: set[str] = set()
        self._count = first

    def of(self, vr: str) -> str:
        """A valid value of `vr` that holds nothing but tokens."""
        if vr == "PN":
            return f"{self.word()}^{self.word()}=山田^{self.word()}"
        if vr in ("LT", "ST", "UT"):
            return f"Seen by {self.word()},\r\nphoned {self.word()}."
        if vr == "UR":
            return f"https://{self.word().lower()}.example"
        return self._kept(self._single(vr))

    def word(self) -> str:
        return self._kept(self._single("LO"))

    def _single(self, vr: str) -> str:
        self._count += 1
        n = self._count
        day = date(1701, 1, 1) + timedelta(n)
        match vr:
            case "UI":
                return f"{_ROOT}.{n}.7"
            case "DA":
                return f"{day:%Y%m%d}"
            case "DT":
                return f"{day:%Y%m%d}1234{n % 60:02d}.{n:06d}"
            case "TM":
                return f"2134{n % 60:02d}.{n:06d}"
            case "IS":
                return f"19{n:08d}"
            case "DS":
                return f"1937{n:06d}.25"
        return f"QZ{n:05d}XK"

    def _kept(self, token: str) -> str:
        self.made.add(token)
        return token


def plant_series(parent: Path, *, modality: str = "CT", slices: int = 3, encapsulated: bool = False) -> Planted:
    """A readable series with more than a thousand identifiers. `encapsulated`: RLE, with text in its header."""
    tokens, names = Tokens(), Tokens(90_000)
    folder = parent / f"{names.word()}_{names.word()}" / names.word()
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom on values of the kind that is wanted here
        shared = _image(modality, slices)
        _fill_known(shared, tokens)
        allowed = _fill_identity(shared, tokens)
        _fill_private(shared, tokens)
        _fill_graphics(shared, tokens)
        if not encapsulated:  # GDCM looks for fragments in an icon too
            _add_icon(shared, tokens)
        for k in range(slices):
            slice_ = _slice(shared, tokens, k, encapsulated=encapsulated)
            allowed.add(str(slice_.SOPInstanceUID))
            pydicom.dcmwrite(folder / f"{names.word()}_{k}.dcm", slice_, enforce_file_format=True)
    return Planted(folder, tokens.made, allowed, names.made)


def plant_files(parent: Path) -> list[Planted]:
    """NIfTI, MetaImage, NRRD and PNG whose free text is full of identifiers."""
    parent.mkdir(parents=True, exist_ok=True)
    return [make(parent, Tokens(10_000 * n), Tokens(95_000 + n)) for n, make in enumerate((_nifti, _mha, _nrrd, _png), 1)]


REFUSED_FIELDS = {
    "PhotometricInterpretation": "CS", "Modality": "CS", "ImageType": "CS", "RescaleType": "LO", "RescaleSlope": "DS",
    "PixelSpacing": "DS", "ImageOrientationPatient": "DS", "ImagePositionPatient": "DS", "NumberOfFrames": "IS",
    "TransferSyntaxUID": "UI", "SOPClassUID": "UI", "BitsAllocated": "US", "LossyImageCompressionMethod": "CS",
    "BodyPartExamined": "CS", "SeriesNumber": "IS", "WindowCenter": "DS", "SliceThickness": "DS", "DerivationDescription": "ST",
}  # fmt: skip


def plant_refused(parent: Path) -> list[Planted]:
    """Series in each of which one field that a reader uses holds an identifier in place of its value."""
    planted = []
    for n, (keyword, vr) in enumerate(REFUSED_FIELDS.items()):
        tokens, names = Tokens(50_000 + 100 * n), Tokens(97_000 + 10 * n)
        folder = parent / names.word()
        folder.mkdir(parents=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            slice_ = _slice(_image("CT", 1), tokens, 0, encapsulated=False)
            word = tokens.of("UI") if vr == "UI" else tokens.word()
            if keyword == "TransferSyntaxUID":
                slice_.file_meta.TransferSyntaxUID = word
            else:
                tag = tag_for_keyword(keyword)
                assert tag is not None
                slice_[tag] = DataElement(tag, "LO", word)  # a wrong VR, so that pydicom lets it pass
            slice_.PatientName = tokens.of("PN")
            pydicom.dcmwrite(folder / f"{names.word()}.dcm", slice_, implicit_vr=False, little_endian=True)
        planted.append(Planted(folder, tokens.made, set(), names.made))
    return planted


def leaks(tokens: Iterable[str], *contents: bytes | str) -> set[str]:
    """The tokens, in lower case, that stand in one of `contents`, in any case, as UTF-8 or UTF-16."""
    wanted = {token.lower() for token in tokens}
    found: set[str] = set()
    for content in contents:
        text = content if isinstance(content, str) else content.decode("latin-1")
        for view in {text.lower(), text.replace("\0", "").lower()}:
            for pattern in _PATTERNS:
                found |= wanted.intersection(pattern.findall(view))
    return found


_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"qz\d{5}xk", r"1\.2\.826\.0\.1\.3680043\.9999\.\d+\.7(?!\d)", r"(?<![\d.])(?=(\d{8}))\d", r"(?<![\d.])19\d{8}",
        r"(?<![\d.])\d{14}\.\d{6}", r"(?<![\d.])\d{6}\.\d{6}", r"(?<![\d.])1937\d{6}\.25",
    )
)  # fmt: skip
"""What `Tokens` makes."""


def contents_of(folder: Path) -> Iterator[bytes]:
    """All bytes below `folder`, or of one file: names, contents, and what inflates out of them (gzip, zlib, PNG)."""
    for path in [folder, *sorted(folder.rglob("*"))] if folder.is_dir() else [folder]:
        yield path.name.encode()
        if path.is_file():
            content = path.read_bytes()
            yield content
            yield from _inflated(content)


def _inflated(content: bytes) -> Iterator[bytes]:
    for start in (match.start() for match in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", content)):
        try:
            yield zlib.decompressobj(47).decompress(content[start:])
        except zlib.error:
            continue


def _image(modality: str, slices: int) -> Dataset:
    """A plain CT or MR slice without a single identifier."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    data.Modality = modality
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SeriesNumber, data.AcquisitionNumber = 3, 1
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [15.0, 16.0], 2.5
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = 12, 10
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.WindowCenter, data.WindowWidth = 40, 80
    data.RescaleIntercept, data.RescaleSlope = (-1024, 1) if modality == "CT" else (0, 1)
    if modality == "MR":
        data.ScanningSequence, data.SequenceVariant, data.MRAcquisitionType = "SE", "NONE", "2D"
        data.RepetitionTime, data.EchoTime = 500, 12
    return data


def _fill_known(data: Dataset, tokens: Tokens) -> None:
    """All text attributes and sequences of `_GROUPS`, except those of `_NEEDED` and the identity of the images."""
    for tag, (vr, _, _, _, keyword) in sorted(DicomDictionary.items()):
        group = tag >> 16
        if not keyword or keyword in _NEEDED or tag in data or keyword in PATIENT_AND_STUDY:
            continue
        if vr in _GROUPS.get(group, ()):
            data[tag] = DataElement(tag, vr, tokens.of(vr))
        elif vr == "SQ" and group in _SEQUENCE_GROUPS:
            data[tag] = DataElement(tag, vr, Sequence([_nested(tokens, _DEPTH if tag % 16 == 0 else 1)]))


def _nested(tokens: Tokens, depth: int) -> Dataset:
    item = Dataset()
    item.TextValue = tokens.of("UT")
    item.PersonName = tokens.of("PN")
    item.ReferencedSOPInstanceUID = tokens.of("UI")
    if depth > 1:
        item.ContentSequence = [_nested(tokens, depth - 1)]
    return item


def _fill_identity(data: Dataset, tokens: Tokens) -> set[str]:
    """What a derived series carries over. Returns the tokens among it."""
    before = set(tokens.made)
    for keyword in set(PATIENT_AND_STUDY) - _NEEDED - {"BurnedInAnnotation"}:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        data[tag] = DataElement(tag, DicomDictionary[tag][0], tokens.of(DicomDictionary[tag][0]))
    made = tokens.made - before
    data.BurnedInAnnotation = tokens.word()
    data.LossyImageCompression, data.LossyImageCompressionMethod = "01", tokens.word()
    data.Laterality, data.PatientPosition, data.PatientSex, data.BodyPartExamined = "L", "HFS", "F", "HEAD"
    data.PatientAge, data.PatientSize, data.PatientWeight = "093Y", 1.62, 61.5
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = uids = [tokens.of("UI") for _ in range(3)]
    return made | set(uids)


def _fill_private(data: Dataset, tokens: Tokens) -> None:
    for group in (0x0009, 0x0011, 0x0019, 0x0029, 0x0051, 0x7FE1):
        block = data.private_block(group, tokens.word(), create=True)
        for offset, vr in enumerate(sorted(_ALL_TEXT), 1):
            block.add_new(offset, vr, tokens.of(vr))
        block.add_new(0x80, "OB", tokens.word().encode())
        block.add_new(0x81, "UN", tokens.word().encode())
        block.add_new(0x82, "OW", tokens.word().encode())
        block.add_new(0x90, "SQ", [_nested(tokens, 2)])


def _fill_graphics(data: Dataset, tokens: Tokens) -> None:
    """Overlays, curves, icons, documents, signatures, padding: blocks of bytes behind which text may hide."""
    for tag, vr in ((0x50000022, "LO"), (0x50000030, "SH"), (0x50002500, "LO"), (0x60000022, "LO"), (0x60001500, "LO")):
        data[tag] = DataElement(tag, vr, tokens.of(vr))
    for tag, vr in ((0x50003000, "OW"), (0x00420011, "OB"), (0xFFFCFFFC, "OB")):
        data[tag] = DataElement(tag, vr, f"{tokens.word()} {tokens.word()} ".encode())
    for element, vr, value in (
        (0x10, "US", 12), (0x11, "US", 10), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x100, "US", 1), (0x102, "US", 0),
        (0x3000, "OW", tokens.word().encode().ljust(16)),
    ):  # fmt: skip
        data[0x60000000 + element] = DataElement(0x60000000 + element, vr, value)
    signature = Dataset()
    signature.DigitalSignatureUID = tokens.of("UI")
    signature.CertificateOfSigner = tokens.word().encode()
    data.DigitalSignaturesSequence = [signature]


def _add_icon(data: Dataset, tokens: Tokens) -> None:
    icon = Dataset()
    icon.Rows = icon.Columns = 4
    icon.PixelData = tokens.word().encode().ljust(16)
    icon["PixelData"].VR = "OB"
    data.IconImageSequence = [icon]


def _slice(shared: Dataset, tokens: Tokens, k: int, *, encapsulated: bool) -> Dataset:
    data = Dataset()
    data.update(shared)
    data.SOPInstanceUID = tokens.of("UI")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        if keyword not in data:
            setattr(data, keyword, tokens.of("UI"))
    data.InstanceNumber = k + 1
    data.ImagePositionPatient = [-10.0, 5.0, 2.5 * k]
    data.preamble = f"{tokens.word()} {tokens.word()}".encode().ljust(128, b"\0")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = tokens.of("UI"), tokens.word()
    meta.SourceApplicationEntityTitle = tokens.word()
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = tokens.of("UI"), tokens.word().encode()
    data.file_meta = meta
    values = np.random.default_rng(k).integers(900, 1200, (data.Rows, data.Columns)).astype("<u2")
    if encapsulated:
        data.PixelData = values.tobytes()
        data["PixelData"].VR = "OW"
        data.compress(RLELossless, generate_instance_uid=False)
        data.PixelData = _with_unused_offsets(data.PixelData, tokens.word())
    else:
        behind = f"{tokens.word()} {tokens.word()} ".encode()
        data.PixelData = values.tobytes() + behind + b" " * (len(behind) % 2)
        data["PixelData"].VR = "OW"
    return data


def _with_unused_offsets(encapsulated: bytes, word: str) -> bytes:
    """`word` among the offsets of segments that a 16-bit RLE frame does not have (PS3.5, G.5)."""
    first_item = encapsulated.index(b"\xfe\xff\x00\xe0", 4)
    start = first_item + 8 + 4 * 3
    content = word.encode()
    return encapsulated[:start] + content + encapsulated[start + len(content) :]


_VOXELS = np.random.default_rng(0).integers(-900, 900, (4, 6, 5)).astype(np.int16)


def _nifti(parent: Path, tokens: Tokens, names: Tokens) -> Planted:
    image = nib.Nifti1Image(_VOXELS.T, np.diag([-1.0, -1.0, 2.0, 1.0]))
    for name, length in (("descrip", 80), ("aux_file", 24), ("intent_name", 16), ("db_name", 18)):
        image.header[name] = " ".join(tokens.word() for _ in range(length // 10))[:length]
    for number in (4, 6, 44):  # text, comment, anything
        image.header.extensions.append(nib.nifti1.Nifti1Extension(number, f"{tokens.word()} {tokens.word()}".encode()))
    path = parent / f"{names.word()}.nii.gz"
    nib.save(image, path)
    return Planted(path, tokens.made, set(), names.made)


def _mha(parent: Path, tokens: Tokens, names: Tokens) -> Planted:
    lines = (
        "ObjectType = Image", "NDims = 3", f"Comment = {tokens.word()} {tokens.word()}", f"Name = {tokens.word()}",
        f"PatientName = {tokens.word()}", f"0010|0020 = {tokens.word()}", "BinaryData = True", "BinaryDataByteOrderMSB = False",
        "TransformMatrix = 1 0 0 0 1 0 0 0 1", "Offset = 0 0 0", "ElementSpacing = 1 1 2", "DimSize = 5 6 4",
        "ElementType = MET_SHORT", "ElementDataFile = LOCAL",
    )  # fmt: skip
    path = parent / f"{names.word()}.mha"
    path.write_bytes("\n".join(lines).encode() + b"\n" + _VOXELS.tobytes())
    return Planted(path, tokens.made, set(), names.made)


def _nrrd(parent: Path, tokens: Tokens, names: Tokens) -> Planted:
    lines = (
        "NRRD0005", f"# {tokens.word()}", f"content: {tokens.word()}", "type: short", "dimension: 3", "sizes: 5 6 4",
        "space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,0,2)", "space origin: (0,0,0)",
        "endian: little", "encoding: raw", f"PatientName:={tokens.word()}", f"DICOM_0010_0020:={tokens.word()}",
    )  # fmt: skip
    path = parent / f"{names.word()}.nrrd"
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + _VOXELS.tobytes())
    return Planted(path, tokens.made, set(), names.made)


def _png(parent: Path, tokens: Tokens, names: Tokens) -> Planted:
    from ctmri_core.io.png_slices import encode

    plain = encode(_VOXELS[0].astype(np.uint16), tokens.word())
    extra = b"".join(_text_chunk(kind, tokens) for kind in (b"Title", b"Author", b"Comment", b"Source"))
    path = parent / f"{names.word()}.png"
    path.write_bytes(plain[:33] + extra + plain[33:])
    return Planted(path, tokens.made, set(), names.made)


def _text_chunk(keyword: bytes, tokens: Tokens) -> bytes:
    body = keyword + b"\0" + tokens.word().encode()
    return struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", zlib.crc32(b"tEXt" + body))
