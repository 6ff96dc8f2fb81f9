"""Text headers (MetaImage, NRRD), line by line, and their numbers, checked.

These headers are parsed here and not by ITK, which they can crash (measured: `NDims=-1`, a `%s` in a file name, long tokens).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight

MOST_HEADER_BYTES = 1 << 20  # a list of file names may be long
MOST_LINE_BYTES = 1 << 16  # the index of each of thousands of volumes may stand in one line
_MOST_FILES = 65535
_DAMAGED = "The header is damaged."
_PATTERN = re.compile(r"([^%]*)%(0?)(\d{0,2})d([^%]*)")


def numbers(path: Path, field: str, text: str, count: int | None = None) -> list[float]:
    """Finite numbers of a header line. Refuses other words, NaN, infinity and a wrong count, naming the field."""
    try:
        plain = text.isascii() and "_" not in text  # `1_0` is ten to Python alone
        values = [float(word) for word in text.split()] if plain else []
    except ValueError:
        values = []
    if not values or (count is not None and len(values) != count) or not all(map(math.isfinite, values)):
        wanted = f"{count} finite numbers" if count else "finite numbers"
        raise FileRefused(path, f"{field} is {text[:40]!r}; {wanted} are needed.", _DAMAGED)
    return values


def whole_numbers(path: Path, field: str, text: str, count: int | None = None) -> list[int]:
    """As `numbers`, for sizes and counts."""
    values = numbers(path, field, text, count)
    if not all(value.is_integer() and abs(value) < 2**40 for value in values):
        raise FileRefused(path, f"{field} is {text[:40]!r}; whole numbers are needed.", _DAMAGED)
    return [int(value) for value in values]


def header_lines(path: Path, head: bytes) -> Iterator[tuple[str, int]]:
    """(line, position after it), one by one: the caller stops where the header ends and the voxels begin."""
    position = 0
    while position < len(head):
        end = head.find(b"\n", position, position + MOST_LINE_BYTES)
        if end < 0:
            end = len(head)
        line = head[position:end].rstrip(b"\r")
        position = end + 1
        if len(line) > MOST_LINE_BYTES or b"\0" in line:
            raise FileRefused(path, "has a header line that is no text or has no end.", _DAMAGED)
        yield line.decode("utf-8", "replace"), position


def slice_files(path: Path, field: str, text: str, names: Sequence[str]) -> tuple[Path, ...]:
    """As `listed_names`, of files that are there. Raises `FileRefused` on anything but plain names of files beside the header."""
    return tuple(preflight.beside(path, name.removeprefix("./")) for name in listed_names(path, field, text, names))


def listed_names(path: Path, field: str, text: str, names: Sequence[str]) -> list[str]:
    """The data files that a header at `path` names: `text` is one name, `LIST` with `names`, or `slice%03d.raw FIRST LAST STEP`.

    The pattern is filled in here, never by a format that a file holds. Raises `FileRefused` on one that makes no sense.
    """
    words = text.split()
    if words[:1] == ["LIST"]:
        found = [name.strip() for name in names if name.strip()]
    elif (pattern := _PATTERN.fullmatch(words[0]) if len(words) in (4, 5) else None) is not None:
        before, zero, width, after = pattern.groups()
        first, last, step = whole_numbers(path, field, " ".join(words[1:4]), 3)
        if step < 1 or not 0 <= first <= last or (last - first) // step >= _MOST_FILES:
            raise FileRefused(path, f"{field} counts from {first} to {last} by {step}.", _DAMAGED)
        fill = "0" if zero else " "
        found = [f"{before}{str(n).rjust(int(width or 0), fill)}{after}" for n in range(first, last + 1, step)]
    else:
        found = [text]
    if not found or len(found) > _MOST_FILES:
        raise FileRefused(path, f"{field} lists {len(found)} files.", _DAMAGED)
    return found
