"""One line of a file's header as it is shown to people, and the bounds within which headers are shown."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_ENTRIES = 5000
DEEPEST = 8
MOST_CHARACTERS = 240
MOST_VALUES = 64
HIDDEN = "hidden; may be patient data"


@dataclass(frozen=True, slots=True)
class HeaderEntry:
    """A field and its value. Values may be patient data: never logged, never in a repr.

    `depth`: 0 at the top; an entry belongs to the last one before it that is less deep. `tag`: as `(0008,0060)`, or the name of
    the field; `name`: what it is; `kind`: DICOM value representation or type; `value`: one line, shortened. `identifying`: the
    value may tell who the patient is, for nothing says that it cannot. `checksum`: of the whole value.
    """

    depth: int
    tag: str
    name: str
    kind: str
    value: str = field(repr=False)
    identifying: bool
    checksum: int = field(default=0, repr=False)

    @property
    def safe_value(self) -> str:
        """The value, or that it is hidden."""
        return HIDDEN if self.identifying and self.value else self.value


class Entries:
    """Collects entries up to a bound; `full` once it is reached, which the last entry says."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._entries: list[HeaderEntry] = []

    @property
    def full(self) -> bool:
        return len(self._entries) > self._most

    def add(
        self,
        tag: str,
        name: str,
        value: str,
        *,
        kind: str = "",
        depth: int = 0,
        identifying: bool = True,
        raw: bytes | None = None,
    ) -> None:
        """`raw`: what the value was read from, where `value` does not tell all of it."""
        if self.full:
            return
        if len(self._entries) == self._most:
            self._entries.append(HeaderEntry(0, "…", f"more than {self._most} fields; the others are not shown", "", "", False))
            return
        checksum = zlib.crc32(value.encode("utf-8", "replace") if raw is None else raw)
        tag, name, kind, value = map(one_line, (tag, name, kind, value))
        self._entries.append(HeaderEntry(depth, tag, name, kind, value, identifying, checksum))

    def remark(self, text: str, depth: int = 0) -> None:
        """A line that is ours and no field of the file."""
        self.add("…", text, "", depth=depth, identifying=False)

    def extend(self, entries: Sequence[HeaderEntry]) -> None:
        """Adds entries that were collected elsewhere."""
        for entry in entries:
            if not self.full:
                self._entries.append(entry)

    def done(self) -> tuple[HeaderEntry, ...]:
        return tuple(self._entries)


def one_line(text: str) -> str:
    """Without control characters, which could speak to a terminal, and not longer than is shown."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: MOST_CHARACTERS + 1]).strip()
    return f"{plain[:MOST_CHARACTERS]}… ({len(text)} characters)" if len(text) > MOST_CHARACTERS else plain


def joined(values: Sequence[object], separator: str = " ") -> str:
    """The first values, and how many there are where they are many."""
    text = separator.join(map(str, values[:MOST_VALUES]))
    return f"{text}{separator}… ({len(values)} values)" if len(values) > MOST_VALUES else text


def differing(one: Sequence[HeaderEntry], other: Sequence[HeaderEntry]) -> frozenset[int]:
    """Places in `one` of entries that `other` has not, or with another value."""
    elsewhere = dict(_placed(other))
    return frozenset(n for n, (place, checksum) in enumerate(_placed(one)) if elsewhere.get(place) != checksum)


def _placed(entries: Sequence[HeaderEntry]) -> list[tuple[tuple[tuple[str, int], ...], int]]:
    """Each entry's way down from the top (tag and how often it has come before there), with its checksum."""
    placed = []
    way: list[tuple[str, int]] = []
    seen: dict[tuple[tuple[str, int], ...], int] = {}
    for entry in entries:
        del way[entry.depth :]
        key = (*way, (entry.tag, -1))
        seen[key] = seen.get(key, 0) + 1
        way.append((entry.tag, seen[key]))
        placed.append((tuple(way), entry.checksum))
    return placed
