"""Entries of a study's record, each hashed onto the one before it in the same file of origin.

A change, a deletion or an exchange of entries shows. A chain that was cut at its end, or computed anew as a whole, shows against
an `Anchor` that was written down elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """`origin`: of the file that wrote it; `number` counts from 1 in it; `at`: UTC, ISO 8601; `sha256`: of it and all before."""

    origin: str
    number: int
    kind: str
    reader: str
    at: str
    payload: dict[str, Any]
    sha256: str


@dataclass(frozen=True)
class Anchor:
    """How far one chain had come: what to write down outside of the file."""

    origin: str
    count: int
    head: str

    def __str__(self) -> str:
        return f"{self.origin} {self.count} {self.head}"


def root(study: str, origin: str) -> str:
    """What the first entry of a chain is hashed onto: so a chain belongs to one study and one file."""
    return hashlib.sha256(f"{study}\n{origin}".encode()).hexdigest()


def hashed(before: str, entry: Entry) -> str:
    """SHA-256 of `entry` onto that of the one before it; its own `sha256` is not looked at."""
    parts = [entry.origin, entry.number, entry.kind, entry.reader, entry.at, text_of(entry.payload)]
    return hashlib.sha256((before + "\n" + json.dumps(parts, ensure_ascii=False)).encode()).hexdigest()


def text_of(payload: dict[str, Any]) -> str:
    """The one JSON of a payload. Raises `ValueError` for numbers that are none."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def chains(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """By origin, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.origin, []).append(entry)
    return found


def broken(study: str, origin: str, chain: Sequence[Entry]) -> list[str]:
    """Where a chain stops holding together, in words: the first place alone, since all after it follows from it."""
    before = root(study, origin)
    for number, entry in enumerate(chain, 1):
        if entry.number != number:
            return [f"chain {origin}: entry {number} is missing"]
        if hashed(before, entry) != entry.sha256:
            return [f"chain {origin}: entry {number} or the one before it was changed"]
        before = entry.sha256
    return []
