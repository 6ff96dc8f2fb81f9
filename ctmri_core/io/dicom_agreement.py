"""Whether the slices of a DICOM volume agree in what they say of their values, their thickness and their number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from ctmri_core.domain import Domain
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.series_judgement import Stack
from ctmri_core.volume import Finding

_MOST_IMAGES = 100_000
_STEP_SHARE = 0.02
_STEP_MM = 0.1
_THICKER = 1.1
_OVERLAPPING, _SPARSE = 2.0, 2.0  # half of each slice in the next, as many are reconstructed; a gap as wide as a slice
_WIDEST_GAP = 0.9
_THINNEST_MM = 1e-3


def agreement(domain: Domain, headers: Sequence[SliceHeader], stack: Stack) -> tuple[Finding, ...]:
    """`headers`: of the volume's slices, k = 0 first. What is to be said of their values, encodings and thicknesses."""
    return (*_units(domain, headers), *_rescaling(domain, headers), *_pixels(headers), *_thickness(headers, stack))


def completeness(headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    """`headers`: all images of one series that are there. Whether the header knows of more, or their numbers leave some out."""
    given = [header.instance_number for header in headers]
    numbers = sorted({number for number in given if number is not None})
    numbered = len(numbers) == len(given) and numbers[0] >= 0
    told = max((header.images_told or 0 for header in headers), default=0)
    missing = _missing(numbers, told) if numbered else ""
    if len(headers) < told <= _MOST_IMAGES:
        where = f" ({missing})" if missing else ""
        message = f"The header tells of {told} images, {len(headers)} are here{where}: part of the body may be missing."
        return (Finding("incomplete", message, serious=True),)
    if not missing or len(headers) < 2:
        return ()
    return (Finding("numbering", f"Slices may have been taken out of this series: {missing} by InstanceNumber."),)


def _missing(numbers: Sequence[int], told: int) -> str:
    """Which numbers of 1, 2, ... or of 0, 1, ... are not there, in words; empty when none is, or when there are so few of them
    that they count something else.
    """
    parts = []
    left_out = numbers[-1] - numbers[0] + 1 - len(numbers)
    if left_out > len(numbers):
        return ""
    if 1 < numbers[0] <= len(numbers):  # beyond that, the images of several series were numbered on
        parts.append(f"none before number {numbers[0]}")
    if left_out:
        after = next(a for a, b in pairwise(numbers) if b != a + 1)
        parts.append(f"{left_out} left out, the first after number {after}")
    if numbers[-1] + (numbers[0] == 0) < told <= _MOST_IMAGES:
        parts.append(f"none after number {numbers[-1]}")
    return ", ".join(parts)


def _units(domain: Domain, headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    if domain is not Domain.CT:
        return ()
    if not all(header.pixels.rescaled for header in headers):
        message = "RescaleSlope or RescaleIntercept is missing, so the values may not be Hounsfield units."
    elif any(header.pixels.rescale_type not in ("", "HU", "HU_MOD") for header in headers):
        message = "RescaleType is not HU, so the values may not be Hounsfield units."
    else:
        return ()
    return (Finding("not_hounsfield", message, serious=True),)


def _rescaling(domain: Domain, headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    """Each slice is rescaled by its own numbers, which is how MR and PET are stored; of CT it is not expected."""
    pixels = [header.pixels for header in headers]
    if len({each.rescaled for each in pixels}) > 1:
        some = sum(not each.rescaled for each in pixels)
        what = f"RescaleSlope or RescaleIntercept is missing in {some} of {len(pixels)} slices"
        return (Finding("mixed_rescale", f"{what}, so their values cannot be compared with the others'.", serious=True),)
    if domain is Domain.CT and len({(each.slope, each.intercept) for each in pixels}) > 1:
        message = (
            "RescaleSlope or RescaleIntercept differs between the slices. Each slice was turned into HU by its own; where the"
            " picture jumps from slice to slice, one of them is wrong and so are its HU."
        )
        return (Finding("mixed_rescale", message, serious=True),)
    return ()


def _pixels(headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    pixels = [header.pixels for header in headers]
    differ = [
        keyword
        for keyword, values in (
            ("PixelRepresentation", {each.signed for each in pixels}),
            ("BitsAllocated", {each.bits_allocated for each in pixels}),
            ("PhotometricInterpretation", {each.inverted for each in pixels}),
        )
        if len(values) > 1
    ]
    found = []
    if differ:
        message = (
            f"{' and '.join(differ)} {'differs' if len(differ) == 1 else 'differ'} between the slices. Each was read as it says;"
            " where the picture jumps from slice to slice, its values are wrong."
        )
        found.append(Finding("mixed_pixels", message, serious=True))
    elif len({(each.bits_stored, each.high_bit) for each in pixels}) > 1:
        found.append(Finding("mixed_pixels", "BitsStored differs between the slices; each was read as it says."))
    if len({each.transfer_syntax for each in pixels}) > 1:
        lossy = len({header.origin.lossy is not None for header in headers}) > 1
        effect = "some with loss, so their detail is coarser than the others'" if lossy else "which leaves the values alone"
        found.append(Finding("mixed_encoding", f"The slices are encoded in different ways (TransferSyntaxUID), {effect}."))
    return tuple(found)


def _thickness(headers: Sequence[SliceHeader], stack: Stack) -> tuple[Finding, ...]:
    if len(headers) < 2 or any(finding.kind == "uneven_spacing" for finding in stack.findings):
        return ()
    step = stack.geometry.spacing[0]
    found = list(_step_told(headers, stack))
    thick = [header.thickness for header in headers if header.thickness is not None and header.thickness > _THINNEST_MM]
    if not thick:
        return tuple(found)
    if max(thick) > _THICKER * min(thick):
        message = f"SliceThickness varies from {min(thick):g} to {max(thick):g} mm, so blur and noise differ between the slices."
        found.append(Finding("mixed_thickness", message))
    elif thick[0] > _OVERLAPPING * step + _STEP_MM:
        message = (
            f"The slices are {thick[0]:g} mm thick and lie {step:.3g} mm apart, so they overlap: across slices, detail is no"
            f" finer than {thick[0]:g} mm."
        )
        found.append(Finding("overlap", message))
    elif step > _SPARSE * thick[0] + _STEP_MM:
        message = f"The slices are {thick[0]:g} mm thick and lie {step:.3g} mm apart; what lies between them was not imaged."
        found.append(Finding("sparse", message))
    return tuple(found)


def _step_told(headers: Sequence[SliceHeader], stack: Stack) -> tuple[Finding, ...]:
    """Whether SpacingBetweenSlices agrees with the places: as their distance, along a tilted stack too, or as the gap left."""
    told = {abs(header.slice_step) for header in headers if header.slice_step}
    step = stack.geometry.spacing[0]
    angle = math.radians(stack.tilt.degrees) if stack.tilt else 0.0
    thickness = headers[0].thickness or 0.0
    gap = step - thickness  # some write what lies between the slices; a gap as wide as a slice is a slice that is missing
    meant = [step, step / math.cos(angle), *([gap] if gap < _WIDEST_GAP * thickness else ())]
    odd = [each for each in told if all(abs(each - value) > _STEP_SHARE * step + _STEP_MM for value in meant)]
    if not odd:
        return ()
    every = round(step / odd[0])
    if every >= 2 and abs(step / odd[0] - every) < _STEP_SHARE * every:
        why = f"{every - 1} of {every} slices may be missing, and what they show with them."
    else:
        why = "The positions were believed; if they are wrong, so are lengths and volumes across slices."
    message = f"SpacingBetweenSlices is {odd[0]:g} mm, but by ImagePositionPatient the slices lie {step:.3g} mm apart. {why}"
    return (Finding("step_disagrees", message, serious=True),)
