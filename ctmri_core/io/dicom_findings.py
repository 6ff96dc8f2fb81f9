"""What a person should know about how the values of a DICOM series were stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.volume import Finding


def pixel_findings(headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    """Of the slices of one series."""
    return tuple(_findings(headers))


def _findings(headers: Sequence[SliceHeader]) -> Iterator[Finding]:
    if any(header.pixels.colour or (header.pixels.table is not None and not header.pixels.rescaled) for header in headers):
        message = "The pictures are stored as colours but grey throughout; what is shown are grey levels, not measured values."
        yield Finding("grey_colours", message, serious=True)
    if any(header.pixels.padding is not None for header in headers):
        yield Finding("padding", "Pixels that the scanner marked as lying outside of its picture are shown as air (-1024 HU).")
