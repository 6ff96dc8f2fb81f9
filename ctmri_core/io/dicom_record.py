"""The whole record of a synthetic image inside of its DICOM files: one private element of JSON, the same as in the sidecar."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from ctmri_core.io.dicom_elements import PARSE_ERRORS
from ctmri_core.io.provenance import LARGEST_RECORD, Provenance, parsed

GROUP, CREATOR = 0x0071, "CT-MRI STUDIO"
_CREATOR_TAG, _RECORD_TAG = Tag(GROUP, 0x0010), Tag(GROUP, 0x1001)
_TOP_TAGS = {_CREATOR_TAG, _RECORD_TAG}


def add_record(dataset: Dataset, record: Provenance) -> None:
    dataset.private_block(GROUP, CREATOR, create=True).add_new(0x01, "UT", record.model_dump_json())


def holds_record(dataset: Dataset) -> bool:
    """Whether there is one that can be read."""
    return record_of(dataset) is not None


def is_record_tag(tag: BaseTag | int, dataset: Dataset) -> bool:
    """Whether `tag` belongs to the record; other private elements are nobody's here."""
    return Tag(tag) in _TOP_TAGS and str(dataset[_CREATOR_TAG].value if _CREATOR_TAG in dataset else "") == CREATOR


def read_record(path: Path) -> Provenance | None:
    """None where there is none, or a damaged one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        try:
            wanted = [int(tag) for tag in sorted(_TOP_TAGS)]
            return record_of(pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=wanted))
        except (*PARSE_ERRORS, OSError):
            return None


def record_of(dataset: Dataset) -> Provenance | None:
    """As `read_record`, of a data set at hand."""
    if _RECORD_TAG not in dataset or not is_record_tag(_RECORD_TAG, dataset):
        return None
    value = dataset[_RECORD_TAG].value
    if not isinstance(value, str | bytes) or len(value) > LARGEST_RECORD:
        return None
    return parsed(value.rstrip(b" \0") if isinstance(value, bytes) else value)
