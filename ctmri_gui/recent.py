"""Scans opened before, told apart without names: file and folder names often hold a patient's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_SEPARATOR = "\t"


@dataclass(frozen=True, slots=True)
class Recent:
    """`kind`: what was found there, such as `CT and T1 MR`; `opened`: local time."""

    path: Path
    kind: str
    opened: datetime

    @property
    def label(self) -> str:
        """`CT, opened 20 Nov 12:03`."""
        return f"{self.kind or 'Scan'}, opened {self.opened.day} {self.opened:%b %H:%M}"

    def to_text(self) -> str:
        return _SEPARATOR.join((self.opened.isoformat(timespec="minutes"), self.kind, str(self.path)))

    @classmethod
    def from_text(cls, text: str) -> Recent | None:
        """What `to_text` wrote; None for anything else."""
        opened, _, rest = text.partition(_SEPARATOR)
        kind, separator, path = rest.partition(_SEPARATOR)
        try:
            return cls(Path(path), kind, datetime.fromisoformat(opened)) if separator and path else None
        except ValueError:
            return None
