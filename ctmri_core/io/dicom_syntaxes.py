"""Which transfer syntaxes can be read, and what the others are called."""

from __future__ import annotations

from functools import lru_cache

from pydicom.uid import UID

from ctmri_core.io.dicom_elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT

NATIVE_SYNTAXES = {IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED}
RLE = "1.2.840.10008.1.2.5"
_JPEG = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91)}
READABLE_SYNTAXES = NATIVE_SYNTAXES | _JPEG | {RLE}
ALWAYS_LOSSY_SYNTAXES = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
LOSSY_SYNTAXES = {
    **dict.fromkeys(ALWAYS_LOSSY_SYNTAXES, "ISO_10918_1"),
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
"""Transfer syntaxes that may lose something, with the term of LossyImageCompressionMethod (PS3.3, C.7.6.1.1.5.1)."""


def syntax_name(transfer_syntax: str) -> str:
    """As the standard calls it; a private one has no name that could be shown."""
    name = standard_name(transfer_syntax)
    return f"the transfer syntax {name}" if name else "a private transfer syntax"


@lru_cache(64)  # every slice of a series asks for the same
def standard_name(uid: str) -> str:
    """The name of a UID of the standard, "" for any other."""
    known = UID(uid)
    return known.name if known.type else ""  # of a damaged one, the name is what was there, whatever that is
