"""Whether a DICOM file says that its picture is synthetic, and by which model it was made where our own export says so."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pydicom

from ctmri_core.io.dicom_elements import PARSE_ERRORS
from ctmri_core.io.export_attributes import DERIVATION_PATTERN
from ctmri_core.volume import Synthetic


def synthetic_mark(path: Path) -> Synthetic | None:
    """From `SyntheticData` (0008,001C) of one slice; None when it is not YES or cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        try:
            tags = ["SyntheticData", "DerivationDescription"]
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(tags))
            if dataset.get("SyntheticData") != "YES":
                return None
            made = re.search(DERIVATION_PATTERN, str(dataset.get("DerivationDescription", "")))
        except PARSE_ERRORS:
            return None
    return Synthetic(made["model"], made["hash"]) if made else Synthetic("unknown model", "")
