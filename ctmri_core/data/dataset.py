"""A prepared collection in a folder: one memory-mapped file per case, and `dataset.json` that says what they are.

The index names no patient and no folder: they go by a salted hash, by which the same names are known again. It hides names from
those who read the index; who guesses a name can try whether it is there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.data.case_check import MISPLACED, CaseCheck
from ctmri_core.data.layouts.layout import Side
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.prepared_slices import PreparedCase
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.files import write_bytes, write_failed
from ctmri_core.preprocess.intensity import HuCurve
from ctmri_core.preprocess.recipe import Recipe

INDEX = "dataset.json"
_JOURNAL = "cases.jsonl"
_CASE_FILE = r"^[0-9a-f]{16}(-\d+)?-[0-9a-f]{16}\.npy$"
_Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DatasetCase(_Frozen):
    """One case, or one domain of it where its volumes do not lie in one space.

    `file` in the dataset's folder, `fingerprint` of the source's voxels; `key`, `patient`: salted hashes of their names;
    `pictures`: slices in the file; `slice_mm`: how far they are apart, where that is known; `backgrounds` of the domains in
    [-1, 1]; `chosen`: the slices to learn from where not all; `check`: what was found of the case when it was prepared.
    """

    key: _Key
    patient: _Key
    file: Annotated[str, Field(pattern=_CASE_FILE)]
    fingerprint: _Key
    domains: tuple[Domain, ...]
    backgrounds: tuple[float, ...]
    pictures: int = Field(ge=0)
    slice_mm: float | None = Field(default=None, gt=0)
    centre: str = Field(default="", max_length=100)
    side: Side = ""
    chosen: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    check: CaseCheck | None = None

    def numbered(self, number: int) -> DatasetCase:
        """The same as the `number`-th of the cases that are there now, whichever it was when it was prepared."""
        check = None if self.check is None else self.check.model_copy(update={"number": number})
        return self.model_copy(update={"check": check})

    @property
    def counted(self) -> int:
        """How many slices are learnt from, or judged by."""
        return self.pictures if self.chosen is None else len(self.chosen)

    def shows(self, *domains: Domain) -> bool:
        """Whether slices that count show all of these at one place."""
        return bool(self.counted) and set(domains) <= set(self.domains)

    def prepared_in(self, folder: Path) -> PreparedCase:
        """As `PreparedSlices` takes it."""
        return PreparedCase(
            folder / self.file, self.domains, self.backgrounds, self.chosen, self.slice_mm, self.pictures
        )  # fmt: skip


class DatasetIndex(_Frozen):
    """What is in the folder. `made_from`: all that the files follow from, to know them again; `complete`: nothing is missing."""

    format: Literal["ctmri-dataset-1"] = "ctmri-dataset-1"
    made_from: dict[str, Any]
    salt: str = Field(max_length=64)
    recipe: Recipe
    domains: tuple[Domain, ...]
    what: str = ""
    licence: str = ""
    credit: str = ""
    phantom: bool = False
    layout: str = ""
    split: dict[str, Any] = {}
    complete: bool = False
    cases: tuple[DatasetCase, ...] = ()

    @property
    def decided(self) -> dict[str, Any]:
        """What was settled when the data were prepared, under the names that the settings of a run have for it."""
        share, spacing = self.split.get("validation_share"), self.recipe.spacing_mm
        known = {"spacing_mm": spacing, "soft_tissue_curve": isinstance(self.recipe.ct, HuCurve), "validation_share": share}
        return {name: value for name, value in known.items() if value is not None}

    def patients(self, side: Side) -> int:
        """How many of one side have slices that count."""
        return len({case.patient for case in self.cases if case.side == side and case.counted})

    def files_of(self, side: Side, folder: Path) -> list[PreparedCase]:
        """The cases of one side as `PreparedSlices` takes them."""
        return [case.prepared_in(folder) for case in self.cases if case.side == side]


class PreparedRecord(_Frozen):
    """A line of the journal: what became of one case, all of it. `stamp`: of the files that it was read from."""

    key: _Key
    stamp: str = Field(max_length=64)
    cases: tuple[DatasetCase, ...]

    def tells(self, options: PreparationOptions) -> bool:
        """Whether it says all that `options` ask for, and nothing for which they leave a case out."""
        checks = [case.check for case in self.cases]
        if options.looks and None in checks:
            return False
        return not options.leave_out_misaligned or not any(check and check.has(*MISPLACED) for check in checks)


class DatasetFolder:
    """Reads and writes a dataset's folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.index = self.path / INDEX

    def exists(self) -> bool:
        return self.index.is_file()

    def read(self) -> DatasetIndex:
        """Raises `FileRefused` when the index is not ours or does not fit its files."""
        try:
            index = DatasetIndex.model_validate_json(self.index.read_bytes())
        except (OSError, ValidationError) as error:
            raise FileRefused(self.index, "is no index of prepared data that can be read.", "Prepare the data again.") from error
        missing = [case for case in index.cases if not (self.path / case.file).is_file()]
        if missing:
            problem = f"names {len(missing)} files that are not there any more."
            raise FileRefused(self.index, problem, "Prepare the data again.")
        return index

    def is_complete(self) -> bool:
        """Whether all is there that training takes."""
        try:
            return self.read().complete
        except FileRefused:
            return False

    def finish(self, index: DatasetIndex) -> None:
        """Writes the index, and removes files of cases that are not in it any more. Raises `WriteFailed`."""
        self._write(index)
        kept = {case.file for case in index.cases}
        for path in self._case_files():
            if path.name not in kept:
                with suppress(OSError):  # Windows removes no file that a training has mapped
                    path.unlink()

    def begin(self, index: DatasetIndex, data: str) -> DatasetIndex:
        """Goes on with what is there when it was made from the same `data` in the same way, else removes what was prepared.

        The salt of what is there is kept. Raises `WriteFailed`.
        """
        known = None
        with suppress(OSError, ValidationError):
            known = DatasetIndex.model_validate_json(self.index.read_bytes())
        if known is not None and known.made_from == {**index.made_from, "data": key_of(data, known.salt)}:
            return index.model_copy(update={"salt": known.salt, "made_from": known.made_from})
        try:
            for stale in [*self._case_files(), self.path / _JOURNAL]:
                stale.unlink(missing_ok=True)
        except OSError as error:
            raise write_failed(self.path, error) from error
        index = index.model_copy(update={"made_from": {**index.made_from, "data": key_of(data, index.salt)}})
        self._write(index)
        return index

    def remember(self, record: PreparedRecord) -> None:
        """Notes that a case is prepared, so that nothing is done twice after an interruption. Raises `WriteFailed`."""
        try:
            number = os.open(self.path / _JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as handle:
                handle.write(f"\n{record.model_dump_json()}\n")  # begun anew behind a line that was cut short
        except OSError as error:
            raise write_failed(self.path / _JOURNAL, error) from error

    def remembered(self) -> dict[str, PreparedRecord]:
        """By key, the last record of those whose files are there; a line cut short is left out."""
        found: dict[str, PreparedRecord] = {}
        journal = self.path / _JOURNAL
        for line in journal.read_text("utf-8", "replace").splitlines() if journal.exists() else ():
            with suppress(ValidationError):
                record = PreparedRecord.model_validate_json(line)
                found[record.key] = record
        return {key: record for key, record in found.items() if self._holds(record.cases)}

    def _holds(self, cases: Sequence[DatasetCase]) -> bool:
        return all((self.path / case.file).is_file() for case in cases)

    def _case_files(self) -> list[Path]:
        """What has the name of a case's file: nothing else in the folder is ours to remove."""
        return [path for path in self.path.glob("*.npy") if re.fullmatch(_CASE_FILE, path.name)]

    def _write(self, index: DatasetIndex) -> None:
        write_bytes(self.index, index.model_dump_json(indent=1).encode(), private=True)


def key_of(name: str, salt: str) -> str:
    """Names of patients' folders stay out of files and their names."""
    return hashlib.blake2b(name.encode(errors="surrogateescape"), key=salt.encode()[:64], digest_size=8).hexdigest()
