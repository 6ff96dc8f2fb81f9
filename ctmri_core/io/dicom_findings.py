"""What a person should know about what a DICOM series holds and how its values were stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctmri_core.domain import Domain
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.dicom_syntaxes import standard_name
from ctmri_core.volume import Finding


def content_findings(domain: Domain, headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    """Of the slices of one series that shows `domain`."""
    return tuple(_findings(domain, headers))


def _findings(domain: Domain, headers: Sequence[SliceHeader]) -> Iterator[Finding]:
    if domain is Domain.UNKNOWN:
        kind = standard_name(headers[0].sop_class_uid).removesuffix(" Storage")  # Modality is free text in the worst case
        what = f"By its header this is data of the kind {kind}, which is" if kind else "Its header says"
        yield Finding("other_kind", f"{what} neither CT nor MR.")
    if any(header.pixels.colour or (header.pixels.table is not None and not header.pixels.rescaled) for header in headers):
        message = "The pictures are stored as colours but grey throughout; what is shown are grey levels, not measured values."
        yield Finding("grey_colours", message, serious=True)
    if any(header.pixels.padding is not None for header in headers):
        yield Finding("padding", "Where the scanner marked pixels as lying outside of its picture, air is shown (-1024 HU).")
    lossy = sum(header.origin.lossy is not None for header in headers)
    if lossy:
        which = "The pictures were" if lossy == len(headers) else "Some of the pictures were"
        yield Finding("lossy", f"{which} compressed with loss: values are near what was measured, and fine detail may be gone.")
