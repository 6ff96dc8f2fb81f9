"""The table of a reader study: who gave which score to which case, made by what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import NotComputable


@dataclass(frozen=True, eq=False)
class Readings:
    """`scores`: float64 (modalities, readers, cases), higher for "signal", NaN where a reader did not read a case.

    `signal`: bool (cases,), whether a case is of the kind to be detected (synthetic; diseased). A modality is what is compared: a
    model, with real cases standing under each model with the one score they were given. Repeats are not for this table.
    `patients`: whose each case is, where several may be of one; empty where each stands for itself.
    """

    modalities: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    signal: NDArray[np.bool_]
    scores: NDArray[np.float64]
    patients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.modalities), len(self.readers), len(self.cases))
        if self.scores.shape != shape or self.signal.shape != shape[2:] or len(self.patients) not in (0, shape[2]):
            raise ValueError(f"scores {self.scores.shape}, signal {self.signal.shape}, {len(self.patients)} patients for {shape}")

    @classmethod
    def of(
        cls, rows: Iterable[tuple[str, str, str, float]], signal: Mapping[str, bool], patients: Mapping[str, str] | None = None
    ) -> Readings:
        """From rows (reader, case, modality, score) and whether each case is a signal, in the order in which they first come;
        `patients`: whose each is.

        Raises `ValueError` where one reader scores a case of a modality twice.
        """
        rows = list(rows)
        readers = tuple(dict.fromkeys(row[0] for row in rows))
        cases = tuple(dict.fromkeys(row[1] for row in rows))
        modalities = tuple(dict.fromkeys(row[2] for row in rows))
        place = [{name: number for number, name in enumerate(names)} for names in (modalities, readers, cases)]
        scores = np.full((len(modalities), len(readers), len(cases)), np.nan)
        for reader, case, modality, score in rows:
            at = place[0][modality], place[1][reader], place[2][case]
            if not np.isnan(scores[at]):
                raise ValueError("a reader scored one case of one modality twice")
            scores[at] = score
        whose = () if patients is None else tuple(patients[case] for case in cases)
        return cls(modalities, readers, cases, np.array([signal[case] for case in cases], np.bool_), scores, whose)

    @property
    def missing(self) -> int:
        """How many readings there are not."""
        return int(np.isnan(self.scores).sum())

    @property
    def units(self) -> NDArray[np.intp]:
        """What varies by itself, (cases,): the number of each case's patient, or its own."""
        if not self.patients:
            return np.arange(len(self.cases))
        return np.unique(self.patients, return_inverse=True)[1]

    def complete(self) -> Readings:
        """Of the cases that all readers have read of all modalities."""
        return self.of_cases(np.isfinite(self.scores.sum(axis=(0, 1))))

    def of_cases(self, chosen: NDArray[np.bool_]) -> Readings:
        """Of the `chosen` cases only, bool (cases,)."""
        cases, patients = (tuple(compress(names, chosen)) for names in (self.cases, self.patients))
        return replace(self, cases=cases, signal=self.signal[chosen], scores=self.scores[:, :, chosen], patients=patients)

    def of_readers(self, *chosen: str) -> Readings:
        """Of the `chosen` readers only, in their order."""
        places = [self.readers.index(name) for name in chosen]
        return replace(self, readers=tuple(chosen), scores=self.scores[:, places])

    def of_modalities(self, *chosen: str) -> Readings:
        """Of the `chosen` modalities only, in their order."""
        places = [self.modalities.index(name) for name in chosen]
        return replace(self, modalities=tuple(chosen), scores=self.scores[places])

    def correct(self, threshold: float = 0.0) -> Readings:
        """1 where a score above `threshold` meets a signal or one below it none, 0 where not, 0.5 for a score equal to it."""
        said = 0.5 + 0.5 * np.sign(self.scores - threshold)
        return replace(self, scores=np.where(self.signal, said, 1 - said))

    def kinds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores of the cases without and with the signal, (modalities, readers, cases of the kind) each."""
        return self.scores[:, :, ~self.signal], self.scores[:, :, self.signal]


def lacking(readings: Readings) -> NotComputable | None:
    """Why an analysis of all readers on all cases cannot be made: nothing was read, or not everything was."""
    if not readings.scores.size:
        return NotComputable("There is nothing that all readers have read.")
    if readings.missing:
        return NotComputable(
            f"{readings.missing} of {readings.scores.size} readings are missing: "
            "take the cases that all readers have read, or the analysis by U-statistics."
        )
    return None


def as_scores(values: Any) -> NDArray[np.float64]:
    """As float64 (n,). Raises `ValueError` on anything but finite numbers in a row."""
    taken = np.asarray(values, np.float64)
    if taken.ndim != 1 or not np.isfinite(taken).all():
        raise ValueError("scores must be finite numbers in one row")
    return taken
