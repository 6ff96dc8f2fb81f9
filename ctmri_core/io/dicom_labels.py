"""What DICOM series are called: by numbers and words of our own, for texts of a header may hold anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctmri_core.domain import Domain
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.volume import kind_label

_NUMBERS: tuple[tuple[str, Callable[[SliceHeader], float | None]], ...] = (
    ("TE {:g} ms", lambda header: header.timing.echo),
    ("TI {:g} ms", lambda header: header.timing.inversion),
    ("b {:g}", lambda header: header.b_value),
    ("phase {:g}", lambda header: header.acquisition[1]),
    ("acquisition {:g}", lambda header: header.acquisition[0]),
)
_PICTURES = {
    "M": "magnitude", "P": "phase", "R": "real", "I": "imaginary", "ADC": "ADC", "W": "water", "WATER": "water", "F": "fat",
    "FAT": "fat", "IP": "in phase", "IN_PHASE": "in phase", "OP": "opposed phase", "OPP_PHASE": "opposed phase",
    "OUT_PHASE": "opposed phase",
}  # fmt: skip
"""Values of ImageType that scanners write."""


def label_of(domain: Domain, headers: Sequence[SliceHeader], told: str, *, localizer: bool) -> str:
    """`told`: what tells it from other volumes of its series, by `told_apart`."""
    first = headers[0]
    synthetic = any(header.origin.synthetic for header in headers)
    kind = kind_label(domain, synthetic=synthetic, phantom=first.origin.phantom)
    number = f"series {first.series_number}" if first.series_number is not None else ""
    slices = "1 slice" if len(headers) == 1 else f"{len(headers)} slices"
    return ", ".join(part for part in (f"{kind}{' localizer' if localizer else ''}", number, told, slices) if part)


def told_apart(volumes: Sequence[Sequence[SliceHeader]]) -> list[str]:
    """For each of the volumes that one series shows of the same places, by what it differs from the others."""
    parts: list[list[str]] = [[] for _ in volumes]
    pictures = [_PICTURES.keys() & set.intersection(*(set(header.image_type) for header in volume)) for volume in volumes]
    shared = set.intersection(*map(set, pictures))
    for told, own in zip(parts, pictures, strict=True):
        told += sorted({_PICTURES[value] for value in own - shared})
    for text, value_of in _NUMBERS:
        values = [_only({value_of(header) for header in volume}) for volume in volumes]
        for told, value in zip(parts, values, strict=True):
            if value is not None and len(set(values)) > 1:
                told.append(text.format(value))
    return [", ".join(told) for told in parts]


def _only(values: set[float | None]) -> float | None:
    """What all slices of a volume say."""
    return values.pop() if len(values) == 1 else None
