"""Where the result of a case goes, and whether what lies there is what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ctmri_core.batch.fingerprints import content_hash, parts_of
from ctmri_core.batch.order import BatchOrder
from ctmri_core.batch.table import CaseRow
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, never
from ctmri_core.io.provenance import sidecar_path


def is_unharmed(row: CaseRow, folder: Path, stop: StopSignal = never) -> bool:
    """Whether the result of `row` is there, with what was written into it."""
    parts = parts_of(folder / row.output) if row.output_hash else ()
    try:
        return bool(parts) and _size(parts) == row.output_bytes and content_hash(parts, stop) == row.output_hash
    except OSError:
        return False


def proof_of(result: Path) -> dict[str, object]:
    """The fields of a row that tell of what was written."""
    parts = parts_of(result)
    return {"output_hash": content_hash(parts), "output_bytes": _size(parts)}


def place_for(row: CaseRow, rows: Mapping[str, CaseRow], order: BatchOrder, target: Domain) -> tuple[str, bool]:
    """Where within `order.output` the result of `row` is to go, and whether it takes the place of an older one of the same case.

    What was not written by this case, or was changed since, is left alone: then the name is one further.
    """
    name = f"{row.case}_synthetic_{target.value}"
    if order.in_folders:
        folder, slash, last = name.rpartition("/")
        name = folder + slash + last.replace(".", "_")  # a folder of slices has no dot in its name
    taken = {other.output for other in rows.values() if other.place != row.place}
    number = 1
    while True:
        place = (name if number == 1 else f"{name}-{number}") + ("" if order.in_folders else f".{order.form}")
        there = order.output / place
        if place not in taken:
            if not there.exists() and not sidecar_path(there).exists():
                return place, False
            if place == row.output and (row.status == "running" or is_unharmed(row, order.output)):
                return place, True
        number += 1


def _size(parts: tuple[Path, ...]) -> int:
    return sum(path.stat().st_size for path in parts)
