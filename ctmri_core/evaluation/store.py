"""Scores that are finished, kept in the evaluation's folder so that nothing is computed twice."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.evaluation.report.write import REPORT
from ctmri_core.evaluation.results import EVALUATION, PICTURES
from ctmri_core.evaluation.scoring import Scored
from ctmri_core.evaluation.slice_pictures import picture_path
from ctmri_core.evaluation.tables import CYCLE, TABLES
from ctmri_core.files import atomic_file, write_bytes, write_failed

VERSION = 2
"""Of how scores are computed; raised when they change."""
_SCORES, _SALT = "scores", "salt"


class Store:
    """The folder `scores` of an evaluation, whose files are named by all that scores follow from."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self._folder = output / _SCORES

    def salt(self) -> str:
        """For the keys of cases, the same as long as the folder is there. Raises `WriteFailed`."""
        path = self._folder / _SALT
        try:
            known = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            known = ""
        if len(known) == 16 and known.isalnum():
            return known
        made = secrets.token_hex(8)
        write_bytes(path, made.encode(), private=True)
        return made

    def stem(self, key: str) -> Path:
        """Of the files of one model on one case."""
        return self._folder / key

    def find(self, key: str) -> Scored | None:
        """What was scored before; None where it was not, or its pictures are gone."""
        try:
            scored = Scored.model_validate_json(self.stem(key).with_suffix(".json").read_bytes())
        except (OSError, ValidationError):
            return None
        parts = () if scored.picture is None else scored.picture.parts
        there = all(picture_path(self.stem(key), part).is_file() for part in parts)
        return scored if there and (not scored.seen or self._features(key).is_file()) else None

    def keep(self, key: str, scored: Scored) -> None:
        """Raises `WriteFailed`."""
        write_bytes(self.stem(key).with_suffix(".json"), scored.model_dump_json().encode(), private=True)

    def keep_features(self, key: str, vectors: NDArray[np.float32]) -> int:
        """(2, slices, features) beside the scores of `key`; the number of slices. Raises `WriteFailed`."""
        if vectors.size:
            with atomic_file(self._features(key), private=True) as temporary, temporary.open("wb") as handle:
                np.save(handle, vectors, allow_pickle=False)
        return int(vectors.shape[1])

    def features(self, key: str) -> NDArray[np.float32]:
        """What `keep_features` kept. Raises `FileRefused`."""
        path = self._features(key)
        try:
            vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FileRefused(path, "holds no features that can be read.", "Remove it and evaluate again.") from error
        return vectors

    def _features(self, key: str) -> Path:
        return self._folder / f"{key}-features.npy"

    def take_picture(self, key: str, part: str, name: str) -> str:
        """Copies a picture of `key` among those of the report; its path within the evaluation. Raises `WriteFailed`."""
        place = self.output / PICTURES / f"{name}-{part}.png"
        try:
            write_bytes(place, picture_path(self.stem(key), part).read_bytes(), private=True)
        except OSError as error:
            raise write_failed(place, error) from error
        return place.relative_to(self.output).as_posix()

    def clear_results(self) -> None:
        """Removes those of an earlier evaluation, the numbers first, so that old and new never lie side by side. A PDF stays:
        somebody has asked for it, and it says of when it is. Raises `WriteFailed`."""
        for name in (EVALUATION, REPORT, *(f"{kind}{table}" for kind in ("", CYCLE) for table in TABLES)):
            path = self.output / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise write_failed(path, error) from error
        shutil.rmtree(self.output / PICTURES, ignore_errors=True)


def key_of(facts: Mapping[str, Any]) -> str:
    """A name that follows from all that scores follow from."""
    text = json.dumps({"version": VERSION, **facts}, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=12).hexdigest()


