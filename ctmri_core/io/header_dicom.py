"""The elements of a DICOM file up to its pixels, as lines to look at.

Everything may be damaged: a value that cannot be understood is shown as such, and a header that breaks off is shown as far as
it goes. Deflated files are inflated in the reader process only, so this is called there for them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_file_meta_info, read_partial
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from ctmri_core.io.dicom_elements import DEFLATED, PARSE_ERRORS, PIXEL_TAGS
from ctmri_core.io.header_entry import DEEPEST, Entries, HeaderEntry, joined
from ctmri_core.io.header_safe import is_safe

_MOST_BYTES = 32 << 20
_LARGEST_VALUE = 1 << 16
_MOST_ITEMS = 100
_ERRORS = (*PARSE_ERRORS, OSError)  # pydicom's own, for an element that leads out of the file
_IDENTITIES = ("PatientID", "AccessionNumber", "StudyID", "PatientBirthDate")


def is_deflated(path: Path) -> bool:
    """Whether the file must be inflated first. False as well where its beginning cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote values
        try:
            return bool(read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED)
        except _ERRORS:
            return False


def dicom_entries(path: Path) -> tuple[HeaderEntry, ...]:
    """Of a file that is not deflated. Raises `OSError`."""
    with path.open("rb") as handle:
        return stream_entries(io.BytesIO(handle.read(_MOST_BYTES)))


def stream_entries(stream: BinaryIO) -> tuple[HeaderEntry, ...]:
    """Of a file or what was inflated from one. Raises nothing on what is in it."""
    found = Entries()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        dataset, complete = _read(stream)
        if dataset is not None:
            identities = tuple(_identities(dataset))
            _walk(dataset.file_meta, found, 0, identities)
            _walk(dataset, found, 0, identities)
    if not complete:
        found.remark("the header is damaged; what follows cannot be read")
    return found.done()


def _read(stream: BinaryIO) -> tuple[FileDataset | None, bool]:
    """The elements before the pixels, and whether that is all of them: where one is damaged, those before it."""
    seen: list[int] = []

    def at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        seen.append(int(tag))
        return tag in PIXEL_TAGS

    try:
        dataset = read_partial(stream, at_pixels, defer_size=_LARGEST_VALUE, force=True)
        if not seen or seen[-1] in PIXEL_TAGS or seen[-1] in dataset:
            return dataset, True
    except _ERRORS:
        pass
    last = seen[-1] if seen else 0  # where pydicom gave up, and with it what came before
    try:
        stream.seek(0)
        return read_partial(stream, lambda tag, *_: tag == last, defer_size=_LARGEST_VALUE, force=True), False
    except _ERRORS:
        return None, False


def _identities(dataset: Dataset) -> Iterator[str]:
    for keyword in _IDENTITIES:
        try:
            yield str(dataset.get(keyword) or "")
        except PARSE_ERRORS:
            continue


def _walk(dataset: Dataset, found: Entries, depth: int, identities: tuple[str, ...]) -> None:
    for tag in sorted(dataset.keys()):
        if found.full:
            return
        raw: Any = dataset.get_item(tag)  # not converted yet, but for sequences of unknown length
        content: bytes | None = raw.value if isinstance(raw, RawDataElement) else None
        deferred = raw.length if isinstance(raw, RawDataElement) and not content else 0  # larger than is read
        try:
            if deferred:
                _add(found, tag, raw.VR or "UN", f"{deferred} bytes", depth, identifying=False)
                continue
            _show(dataset[tag], content, found, depth, identities)
        except PARSE_ERRORS:
            size = f" ({len(content)} bytes)" if isinstance(content, bytes) else ""
            _add(found, tag, raw.VR or "", f"damaged value{size}", depth, identifying=False, raw=content)


def _show(element: DataElement, raw: bytes | None, found: Entries, depth: int, identities: tuple[str, ...]) -> None:
    value = element.value
    if isinstance(value, Sequence):
        count = len(value)
        _add(found, element.tag, "SQ", f"{count} item" if count == 1 else f"{count} items", depth, identifying=False)
        _items(value, found, depth + 1, identities)
        return
    if isinstance(value, bytes):
        text = _printable(value)
        shown = f"{len(value)} bytes" if text is None else text
        _add(found, element.tag, element.VR, shown, depth, identifying=bool(text), raw=value)
        return
    values = list(value) if isinstance(value, MultiValue | list) else [] if value is None else [value]
    identifying = not is_safe(keyword_for_tag(element.tag), values, identities)
    _add(found, element.tag, element.VR, joined([_text(each) for each in values], "\\"), depth, identifying=identifying, raw=raw)


def _items(sequence: Sequence, found: Entries, depth: int, identities: tuple[str, ...]) -> None:
    if depth > DEEPEST:
        found.remark("deeper levels are not shown", depth)
        return
    for number, item in enumerate(sequence, 1):
        if number > _MOST_ITEMS:
            found.remark(f"{len(sequence) - _MOST_ITEMS} more items are not shown", depth)
            return
        found.add(f"Item {number}", "", "", depth=depth, identifying=False)
        _walk(item, found, depth + 1, identities)


def _add(found: Entries, tag: BaseTag, kind: str, value: str, depth: int, *, identifying: bool, raw: bytes | None = None) -> None:
    found.add(f"({tag.group:04X},{tag.elem:04X})", _name(tag), value, kind=kind, depth=depth, identifying=identifying, raw=raw)


def _name(tag: BaseTag) -> str:
    if tag.is_private_creator:
        return "Private creator"
    if tag.is_private:
        return "Private"
    return "Group length" if tag.elem == 0 else keyword_for_tag(tag) or "Unknown"


def _text(value: Any) -> str:
    if isinstance(value, UID):
        return f"{value.name} ({value})" if value.name != value else str(value)
    return f"{value:.8g}" if type(value) is float else str(value)


def _printable(content: bytes) -> str | None:
    """Text that stands in an element of unknown kind, as names do in private ones."""
    try:
        text = content.rstrip(b" \0").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
