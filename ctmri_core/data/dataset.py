"""A prepared collection in a folder: one memory-mapped file per case, and `dataset.json` that says what they are.

The index names no patient: cases go by a salted hash, which whoever holds the collection can make again and no one else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.data.case_check import CaseCheck
from ctmri_core.data.layouts.layout import Side
from ctmri_core.data.prepared_slices import PreparedCase
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.files import write_bytes, write_failed
from ctmri_core.preprocess.recipe import Recipe

INDEX = "dataset.json"
_JOURNAL = "cases.jsonl"
_Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DatasetCase(_Frozen):
    """One case, or one domain of it where its volumes do not lie in one space.

    `file` in the dataset's folder, `fingerprint` of the source's voxels; `key`, `patient`: salted hashes of their names;
    `pictures`: slices in the file; `backgrounds` of the domains in [-1, 1]; `chosen`: the slices to learn from where not all;
    `check`: what was found of the case when it was prepared.
    """

    key: _Key
    patient: _Key
    file: Annotated[str, Field(pattern=r"^[0-9a-f]{16}(-\d+)?-[0-9a-f]{16}\.npy$")]
    fingerprint: _Key
    domains: tuple[Domain, ...]
    backgrounds: tuple[float, ...]
    pictures: int = Field(ge=0)
    centre: str = Field(default="", max_length=100)
    side: Side = ""
    chosen: tuple[int, ...] | None = None
    check: CaseCheck | None = None


class DatasetIndex(_Frozen):
    """What is in the folder. `made_from`: all that the files follow from, to know them again; `complete`: nothing is missing."""

    format: Literal["ctmri-dataset-1"] = "ctmri-dataset-1"
    made_from: dict[str, Any]
    salt: str = Field(max_length=64)
    recipe: Recipe
    domains: tuple[Domain, ...]
    what: str = ""
    licence: str = ""
    phantom: bool = False
    layout: str = ""
    split: dict[str, Any] = {}
    complete: bool = False
    cases: tuple[DatasetCase, ...] = ()

    def patients(self, side: Side) -> int:
        """How many there are on one side."""
        return len({case.patient for case in self.cases if case.side == side})

    def files_of(self, side: Side, folder: Path) -> list[PreparedCase]:
        """The cases of one side as `PreparedSlices` takes them."""
        own = [case for case in self.cases if case.side == side]
        return [PreparedCase(folder / case.file, case.domains, case.backgrounds, case.chosen) for case in own]


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

    def write(self, index: DatasetIndex) -> None:
        """Raises `WriteFailed`."""
        write_bytes(self.index, index.model_dump_json(indent=1).encode(), private=True)

    def begin(self, index: DatasetIndex) -> DatasetIndex:
        """Goes on with what is there when it was made from the same, else empties the folder of prepared files.

        The salt of what is there is kept.
        """
        if self.exists():
            try:
                known = self.read()
            except FileRefused:
                known = None
            if known is not None and known.made_from == json.loads(json.dumps(index.made_from)):
                return index.model_copy(update={"salt": known.salt})
        for stale in [*self.path.glob("*.npy"), self.path / _JOURNAL]:
            stale.unlink(missing_ok=True)
        self.write(index)
        return index

    def remember(self, cases: Iterable[DatasetCase]) -> None:
        """Notes that these cases are prepared, so that nothing is done twice after an interruption. Raises `WriteFailed`."""
        try:
            number = os.open(self.path / _JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as handle:
                handle.writelines(case.model_dump_json() + "\n" for case in cases)
        except OSError as error:
            raise write_failed(self.path / _JOURNAL, error) from error

    def remembered(self) -> dict[str, list[DatasetCase]]:
        """By key, those whose files are there; a line cut short is left out."""
        found: dict[str, list[DatasetCase]] = {}
        journal = self.path / _JOURNAL
        for line in journal.read_text("utf-8").splitlines() if journal.exists() else ():
            try:
                case = DatasetCase.model_validate_json(line)
            except ValidationError:
                continue
            if (self.path / case.file).is_file():
                found.setdefault(case.key, []).append(case)
        return found


def key_of(name: str, salt: str) -> str:
    """Names of patients' folders stay out of files and their names."""
    return hashlib.blake2b(name.encode(), key=salt.encode()[:64], digest_size=8).hexdigest()
