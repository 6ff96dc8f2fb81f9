"""Defective DICOM series, each with the verdict that is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.hostile.dicom_bytes import EXPLICIT, IMPLICIT, UID, Value
from tests.hostile.kinds import ODD_SPACINGS
from tests.hostile.series import FIRST, SAGITTAL, Slice, stack, text


@dataclass(frozen=True)
class Defect:
    """`series`: how many come of it. `refused`: a pattern that the refusal must match. `findings`: kinds that the first series
    must have, a serious one with an exclamation mark; `words`: a pattern that must be among what they say.
    """

    name: str
    make: Callable[[], list[Slice]]
    series: int = 1
    refused: str = ""
    findings: str = ""
    words: str = ""


def _without(*left_out: int, **options: Any) -> Callable[[], list[Slice]]:
    return lambda: [each for k, each in enumerate(stack(24, **options)) if k not in left_out]


def _numbered(slices: list[Slice]) -> list[Slice]:
    """Numbered anew, as an export does that has lost slices before."""
    for n, each in enumerate(slices, 1):
        each.edits["InstanceNumber"] = str(n)
    return slices


def _odd(numbers: Sequence[int] = (7,), base: dict[str, Any] | None = None, **edits: Value) -> Callable[[], list[Slice]]:
    """A stack some slices of which say something else."""

    def make() -> list[Slice]:
        slices = stack(**(base or {}))
        for number in numbers:
            slices[number].edits |= edits
        return slices

    return make


def _placed(heights: Sequence[float], **options: Any) -> Callable[[], list[Slice]]:
    def make() -> list[Slice]:
        slices = stack(len(heights), **options)
        for each, height in zip(slices, heights, strict=True):
            each.edits["ImagePositionPatient"] = text((*FIRST[:2], height))
        return slices

    return make


def _with(*more: Slice) -> Callable[[], list[Slice]]:
    return lambda: [*stack(), *more]


def _other_picture() -> list[Slice]:
    twin = stack(seed=1)[4]
    twin.edits["SOPInstanceUID"] = f"{UID}.77"
    return [*stack(), twin]


def _equal_copies() -> list[Slice]:
    twins = stack()[4:6]
    for n, twin in enumerate(twins):
        twin.edits |= {"SOPInstanceUID": f"{UID}.77.{n}"}
        twin.syntax = (EXPLICIT, IMPLICIT)[n]
    return [*stack(), *twins]


def _short(k: int) -> Callable[[], list[Slice]]:
    def make() -> list[Slice]:
        slices = stack()
        slices[k].stored = slices[k].stored[:4]
        slices[k].edits["Rows"] = 4
        return slices

    return make


def _mixed_syntaxes() -> list[Slice]:
    slices = stack()
    slices[3].syntax = IMPLICIT
    return slices


def _truncated() -> list[Slice]:
    slices = stack()
    slices[9].cut = 50
    return slices


def _zones() -> list[Slice]:
    """Thin slices through the base of a head, thick ones above."""
    heights = [*np.arange(10) * 2.5, *(25 + 1.25 + np.arange(12) * 5.0)]
    slices = _placed(heights)()
    for k, each in enumerate(slices):
        each.edits["SliceThickness"] = "2.5" if k < 10 else "5"
    return slices


def _joined(**second: Value) -> Callable[[], list[Slice]]:
    """Two stacks, the other half as long and under the same SeriesInstanceUID."""

    def make() -> list[Slice]:
        other = stack(10, seed=1, modality=str(second.get("Modality", "CT")))
        for n, each in enumerate(other):
            each.edits |= {"SOPInstanceUID": f"{UID}.88.{n}", **second}
        return [*stack(), *other]

    return make


def _repeated(number: Callable[[int, int], int]) -> Callable[[], list[Slice]]:
    """Three pictures of each of 20 places. `number`: the InstanceNumber of picture n of place k."""

    def make() -> list[Slice]:
        slices = []
        for n in range(3):
            for k, each in enumerate(stack(seed=n)):
                each.edits |= {"SOPInstanceUID": f"{UID}.66.{n}.{k}", "InstanceNumber": str(number(n, k))}
                slices.append(each)
        return slices

    return make


def _scattered() -> list[Slice]:
    slices = stack(tilt=(0.0, 0.0))
    for k, each in enumerate(slices):
        each.edits["ImagePositionPatient"] = text((FIRST[0] + 4.0 * (k % 3), FIRST[1], FIRST[2] + 2.5 * k))
    return slices


def _tilted_and_uneven() -> list[Slice]:
    return _numbered([each for k, each in enumerate(stack(24, tilt=(0.2, 0.0))) if k != 9])


def _echoes_copied() -> list[Slice]:
    """Two echoes of 8 places, each file twice."""
    slices = []
    for n, echo in enumerate(("12", "95")):
        for each in stack(8, seed=n, modality="MR", EchoTime=echo):
            each.edits["SOPInstanceUID"] = f"{each.edits['SOPInstanceUID']}.{n}"
            slices += [each, replace(each)]
    return slices


def _imaged_again() -> list[Slice]:
    """Each picture an acquisition of its own, and three of the places once more after the patient had moved."""
    slices = [*stack(), *stack(seed=1)[6:9]]
    for n, each in enumerate(slices, 1):
        each.edits |= {"SOPInstanceUID": f"{UID}.55.{n}", "InstanceNumber": str(n), "AcquisitionNumber": str(n)}
    return slices


def _turned(count: int, size: int, degrees: float) -> list[Slice]:
    """Stacks of `size` slices, each turned by so many degrees against the one before."""
    slices = []
    for n in range(count):
        a = np.deg2rad(n * degrees)
        for each in stack(size, orientation=(1.0, 0.0, 0.0, 0.0, float(np.cos(a)), float(np.sin(a)))):
            each.edits["SOPInstanceUID"] = f"{UID}.44.{len(slices)}"
            slices.append(each)
    return _numbered(slices)


def _beside(**edits: Value) -> Callable[[], list[Slice]]:
    """A series, and three files of another one."""
    return lambda: [*stack(), *(replace(each, edits={**each.edits, **edits}) for each in stack(3, series=2, size=(10, 36)))]


def _at(pixel_spacing: float) -> str:
    return f"{pixel_spacing!r}\\0.75"


_ALL = range(20)

DEFECTS: tuple[Defect, ...] = (
    Defect("missing_inside", lambda: _numbered(_without(9)()), findings="gap!", words=r"missing at 7\.5 mm"),
    Defect("missing_inside_numbered", _without(9), findings="gap! numbering", words="1 left out, the first after number 9"),
    Defect("missing_at_two_places", lambda: _numbered(_without(5, 14)()), findings="gap!", words=r"missing at -2\.5, 20\.0 mm"),
    Defect("missing_run", _without(9, 10, 11), refused=r"missing at 10\.0 mm \(usual step 2\.50 mm, widest 10\.00 mm\)"),
    Defect("missing_many", _without(3, 6, 9, 12, 15, 18), refused="slices are missing"),
    Defect(
        "missing_first_told",
        _without(0, 1, NumberOfSeriesRelatedInstances="24"),
        findings="incomplete!",
        words="tells of 24 images, 22 are here .none before number 3",
    ),
    Defect("missing_last_told", _without(22, 23, ImagesInAcquisition="24"), findings="incomplete!", words="none after number 22"),
    Defect("missing_first_numbered", _without(0, 1, 2), findings="numbering", words="none before number 4"),
    Defect("every_second_numbered", _without(*range(1, 24, 2)), findings="numbering", words="11 left out"),
    Defect(
        "every_second",
        lambda: _numbered(_without(*range(1, 24, 2), SpacingBetweenSlices="2.5")()),
        findings="step_disagrees!",
        words="1 of 2 slices may be missing",
    ),
    Defect("step_told_otherwise", _odd(_ALL, SpacingBetweenSlices="3.1"), findings="step_disagrees!", words="3.1 mm"),
    Defect("equal_copies", _equal_copies, findings="duplicate", words="2 slices were there twice"),
    Defect("other_picture_of_one_place", _other_picture, refused=r"different pictures of the same place \(-20 -30 -5 mm\)"),
    Defect("nearly_one_place", _placed([*np.arange(12) * 2.5, 10.02]), refused=r"only 0\.020 mm apart"),
    Defect("position_missing_in_one", _odd(ImagePositionPatient=None), findings="left_out! gap!", words="no position"),
    Defect("position_missing_in_all", _odd(_ALL, ImagePositionPatient=None), series=0, refused="ImagePositionPatient"),
    Defect(
        "position_nan_in_one",
        _odd(ImagePositionPatient="0\\nan\\0"),
        findings="left_out! gap!",
        words="ImagePositionPatient is 0, nan, 0",
    ),
    Defect("position_huge", _odd(ImagePositionPatient="0\\0\\1e30"), findings="left_out! gap!", words="1e\\+30"),
    Defect(
        "orientation_inf",
        _odd(_ALL, ImageOrientationPatient="inf\\0\\0\\0\\1\\0"),
        series=0,
        refused="ImageOrientationPatient is inf",
    ),
    Defect(
        "orientation_overflows",
        _odd(_ALL, ImageOrientationPatient="1e300\\0\\0\\0\\1\\0"),
        refused="ImageOrientationPatient is 1e.300",
    ),
    Defect("orientation_skewed", _odd(_ALL, ImageOrientationPatient="1\\0\\0\\0.5\\0.8\\0"), refused="ImageOrientationPatient"),
    Defect(
        "one_of_another_orientation",
        _odd(ImageOrientationPatient=text(SAGITTAL)),
        series=2,
        findings="gap! torn!",
        words="1 slice of this series (is|are) of another orientation",
    ),
    Defect(
        "one_in_another_frame",
        _odd(FrameOfReferenceUID=f"{UID}.301"),
        series=2,
        findings="gap! torn!",
        words="FrameOfReferenceUID",
    ),
    Defect(
        "every_second_in_another_frame",
        _odd(range(1, 20, 2), FrameOfReferenceUID=f"{UID}.301"),
        series=2,
        findings="torn!",
        words="10 slices of this series are in another frame of reference.*lacks what they show",
    ),
    Defect("short_slice_inside", _short(7), series=2, findings="gap! torn!", words="4 x 12 pixels instead of 10 x 12"),
    Defect("short_slice_at_the_end", _short(19), series=2, findings="torn!", words="4 x 12 pixels"),
    Defect(
        "mixed_pixel_spacing",
        _odd(PixelSpacing="0.6\\0.9"),
        refused=r"PixelSpacing differs between its slices \(0\.\d+ and 0\.\d+ mm\)",
    ),
    Defect("mixed_column_spacing", _odd(PixelSpacing="0.5\\0.9"), refused=r"PixelSpacing differs.*0\.75"),
    Defect("mixed_signedness", _odd(PixelRepresentation=0), findings="mixed_pixels!", words="PixelRepresentation differs"),
    Defect(
        "mixed_allocation",
        _odd(base={"values": (0, 120)}, BitsAllocated=8, BitsStored=8, HighBit=7),
        findings="mixed_pixels!",
        words="BitsAllocated differs",
    ),
    Defect("mixed_bits", _odd(BitsStored=13, HighBit=12), findings="mixed_pixels", words="BitsStored differs"),
    Defect("mixed_photometric", _odd(PhotometricInterpretation="MONOCHROME1"), findings="mixed_pixels!", words="Photometric"),
    Defect("mixed_rescale_of_ct", _odd(RescaleIntercept="-1000"), findings="mixed_rescale!", words="RescaleIntercept differs"),
    Defect(
        "rescale_missing_in_one_mr",
        _odd(base={"modality": "MR"}, RescaleSlope=None, RescaleIntercept=None),
        findings="mixed_rescale!",
        words="missing in 1 of 20 slices",
    ),
    Defect("rescale_missing_in_one_ct", _odd(RescaleSlope=None), findings="not_hounsfield! mixed_rescale!"),
    Defect("rescale_type_mixed", _odd(RescaleType="US"), findings="not_hounsfield!", words="RescaleType is not HU"),
    Defect("mixed_syntaxes", _mixed_syntaxes, findings="mixed_encoding", words="TransferSyntaxUID"),
    Defect("truncated", _truncated, refused="PixelData holds 190 of 240 bytes"),
    Defect("tilted", lambda: stack(tilt=(0.25, 0.0)), findings="tilt!", words=r"14\.0 degrees.*up to 6\.2 mm"),
    Defect("tilted_sideways", lambda: stack(tilt=(-0.1, 0.3)), findings="tilt!", words=r"17\.5 degrees"),
    Defect("tilted_with_a_gap", _tilted_and_uneven, findings="tilt! gap!"),
    Defect("tilted_too_far", lambda: stack(tilt=(1.0, 0.0)), refused=r"displaced against each other by up to 47\.5 mm"),
    Defect("scattered", _scattered, refused=r"displaced against each other by up to 8\.0 mm"),
    Defect(
        "uneven",
        _placed(np.arange(20) * 3.0 + np.tile([0.0, 0.5], 10)),
        findings="uneven_spacing!",
        words="2.50 to 3.50 mm apart",
    ),
    Defect("thin_and_thick_zones", _zones, findings="uneven_spacing!", words="even grid of about 2.50 mm"),
    Defect(
        "overlapping",
        _odd(_ALL, SliceThickness="6"),
        findings="overlap",
        words="6 mm thick and lie 2.5 mm apart, so they overlap",
    ),
    Defect("sparse", _odd(_ALL, SliceThickness="1"), findings="sparse", words="what lies between them was not imaged"),
    Defect("mixed_thickness", _odd([3, 4], SliceThickness="5"), findings="mixed_thickness", words="from 2.5 to 5 mm"),
    Defect("mixed_modality", _joined(Modality="MR"), series=2, findings="mixed_series", words="2 modalities"),
    Defect(
        "mixed_patients_one_series",
        _joined(PatientID="4712"),
        series=2,
        findings="mixed_series! several_patients",
        words="Images of 2 patients carry one SeriesInstanceUID",
    ),
    Defect(
        "mixed_studies_one_series", _joined(StudyInstanceUID=f"{UID}.101"), series=2, findings="mixed_series!", words="2 studies"
    ),
    Defect("stacks_told_by_number", _repeated(lambda n, k: 20 * n + k + 1), series=3, findings="repeated_places"),
    Defect("places_told_by_number", _repeated(lambda n, k: 3 * k + n + 1), series=3, findings="repeated_places!"),
    Defect(
        "places_told_by_nothing",
        _repeated(lambda n, k: 60 - (n * 7 + k * 11) % 60),
        refused="different pictures of the same place",
    ),
    Defect("two_series_one_uid", _joined(SeriesNumber="2"), series=2, findings="mixed_series", words="2 series numbers"),
    Defect(
        "two_patients_beside",
        lambda: [*stack(), *stack(5, series=2, seed=1, PatientID="4712")],
        series=2,
        findings="several_patients",
        words="images of 2 patients",
    ),
    Defect("echoes_copied", _echoes_copied, series=2, findings="duplicate", words="8 slices were there twice"),
    Defect("imaged_again", _imaged_again, series=2, findings="repeated_places!", words="3 of the 20 places"),
    Defect("stacks_through_discs", lambda: _turned(3, 4, 20.0), series=3, findings="torn", words="listed as a volume apart"),
    Defect("film", _placed([4.0] * 12), refused="all of its 12 slices show different pictures of the same place .*as a film"),
    Defect("turning_about", lambda: _turned(18, 1, 10.0), refused="its 18 pictures are turned against each other"),
    Defect(
        "colours_beside",
        _beside(
            Columns=12,
            SamplesPerPixel=3,
            PhotometricInterpretation="RGB",
            PlanarConfiguration=0,
            BitsAllocated=8,
            BitsStored=8,
            HighBit=7,
            PixelRepresentation=0,
        ),
        findings="left_out",
        words="3 other files were left out: each file is a colour picture",
    ),
    Defect("film_beside", _beside(Columns=12, NumberOfFrames="3"), findings="left_out", words="3 frames without a position"),
    Defect("too_far_apart", lambda: stack(3, 20_000.0), refused="apart by ImagePositionPatient"),
    Defect("one_slice_without_thickness", lambda: stack(1, SliceThickness=None), findings="estimated_spacing!"),
    Defect(
        "one_slice_of_no_thickness",
        lambda: stack(1, SliceThickness="0"),
        findings="estimated_spacing!",
        words="SliceThickness is 0",
    ),
    *(
        Defect(f"pixel_spacing_{name}", _odd(_ALL, PixelSpacing=_at(value)), series=0, refused="PixelSpacing is .*0.75")
        for name, value in ODD_SPACINGS.items()
    ),
)
