"""What kind of picture a volume is, and from which kind to which kind a model translates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Domain(StrEnum):
    """Modality and contrast. `MR` is an MR whose weighting is not known; `MASK` is no picture but what somebody outlined in one,
    the body or numbered labels: what models that outline are taught, and give.
    """

    CT = "ct"
    MR = "mr"
    MR_T1 = "mr_t1"
    MR_T1_GD = "mr_t1_gd"
    MR_T2 = "mr_t2"
    MR_FLAIR = "mr_flair"
    MR_PD = "mr_pd"
    MASK = "mask"
    UNKNOWN = "unknown"

    @property
    def modality(self) -> str:
        """DICOM modality: `CT`, `MR`, or `OT` of what is neither, or not known."""
        if self is Domain.CT:
            return "CT"
        return "MR" if self in PICTURES else "OT"

    @property
    def is_mr(self) -> bool:
        return self.modality == "MR"

    @property
    def unit(self) -> str:
        """HU for CT; MR has no physical unit, a mask none at all."""
        return {Domain.CT: "HU", Domain.MASK: ""}.get(self, "a.u.")

    @property
    def label(self) -> str:
        """As people write it: `CT`, `T1 MR`, `T2 MR`."""
        return _LABELS[self]

    def accepts(self, other: Domain) -> bool:
        """Whether a model made for this domain may be given `other`: the same contrast, or an MR of unknown weighting."""
        return other is self or (self.is_mr and other is Domain.MR) or (self is Domain.MR and other.is_mr)


PICTURES: tuple[Domain, ...] = tuple(domain for domain in Domain if domain not in (Domain.MASK, Domain.UNKNOWN))
"""The kinds of pictures that are known."""

_LABELS = {
    Domain.CT: "CT",
    Domain.MR: "MR",
    Domain.MR_T1: "T1 MR",
    Domain.MR_T1_GD: "T1 MR + Gd",
    Domain.MR_T2: "T2 MR",
    Domain.MR_FLAIR: "FLAIR MR",
    Domain.MR_PD: "PD MR",
    Domain.MASK: "mask",
    Domain.UNKNOWN: "unknown kind",
}


@dataclass(frozen=True, slots=True)
class Direction:
    """From one domain to another, written `ct_to_mr_t1`; `ct_to_mask` outlines what a CT shows."""

    source: Domain
    target: Domain

    @property
    def name(self) -> str:
        return f"{self.source.value}_to_{self.target.value}"

    @property
    def label(self) -> str:
        return f"{self.source.label} → {self.target.label}"

    @property
    def reverse(self) -> Direction:
        """From the target back to the source."""
        return Direction(self.target, self.source)

    @classmethod
    def parse(cls, text: str) -> Direction:
        """Reads `ct_to_mr_t1`. Raises `ValueError` naming the known domains."""
        source, separator, target = text.partition("_to_")
        try:
            if not separator:
                raise ValueError(text)
            return cls(Domain(source), Domain(target))
        except ValueError:
            known = ", ".join(domain.value for domain in Domain)
            raise ValueError(f"{text!r} is no direction; write SOURCE_to_TARGET with two of: {known}") from None

    def __str__(self) -> str:
        return self.name
