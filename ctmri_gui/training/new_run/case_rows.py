"""What is shown of each prepared case: numbers and words, never names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctmri_core.data.case_check import CheckReport, Kind, Problem
    from ctmri_core.data.dataset import DatasetCase
    from ctmri_gui.training.data_work import Prepared

_FLAGS = re.compile(r" \((?:--[a-z-]+(?: [a-z]+)?(?:, )?)+\)")
_SIDES = {"train": "learnt from", "validation": "validation", "test": "last test", "": "not used"}


@dataclass(frozen=True)
class CaseRow:
    """`number`: by name of the case; `files`: those that show it, none where it was left out when the data were prepared."""

    number: int
    files: tuple[DatasetCase, ...]
    problems: tuple[Problem, ...] = ()
    briefly: str = ""
    misplaced: bool = False

    @property
    def key(self) -> str:
        """By which it is left out; "" where that has happened already."""
        return self.files[0].key if self.files else ""

    @property
    def used(self) -> bool:
        return bool(self.files) and bool(self.files[0].side) and any(file.counted for file in self.files)

    @property
    def serious(self) -> bool:
        return any(problem.serious for problem in self.problems)

    @property
    def side(self) -> str:
        """What the case is used for, in words."""
        return _SIDES[self.files[0].side] if self.used else _SIDES[""]

    @property
    def title(self) -> str:
        return f"Case {self.number}"

    @property
    def words(self) -> str:
        """What is wrong in a few words, with a sign for how serious that is."""
        return f"{'▲' if self.serious else '△'} {self.briefly}" if self.briefly else ""

    @property
    def messages(self) -> list[str]:
        """What is wrong, in full."""
        return [without_flags(problem.message) for problem in self.problems]

    @property
    def spoken(self) -> str:
        """All of it, for a screen reader."""
        return ". ".join((f"{self.title}, {self.side}", *self.messages))


def rows_of(prepared: Prepared) -> tuple[CaseRow, ...]:
    """The serious first, then those with lesser problems, then the others; each by number."""
    files: dict[int, list[DatasetCase]] = {}
    keys: dict[str, int] = {}
    for case in prepared.index.cases:
        number = case.check.number if case.check is not None else keys.setdefault(case.key, len(keys) + 1)
        files.setdefault(number, []).append(case)
    rows = _checked(prepared.report, files) if prepared.report is not None else [
        CaseRow(number, tuple(cases)) for number, cases in files.items()
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (not row.serious, not row.problems, row.number)))


def without_flags(text: str) -> str:
    """What the core says, without the flags of the command line that stand in brackets behind it."""
    return _FLAGS.sub("", text)


def sentences(rows: Sequence[CaseRow]) -> list[tuple[str, str]]:
    """(role, words) of each kind of problem in cases that are used, the serious before the others, frequent ones first."""
    found: dict[tuple[bool, Kind], list[CaseRow]] = {}
    for row in rows:
        if row.used or not row.files:
            for kind in dict.fromkeys((problem.serious, problem.kind) for problem in row.problems):
                found.setdefault(kind, []).append(row)
    told = []
    for kind, having in sorted(found.items(), key=lambda entry: (not entry[0][0], -len(entry[1]))):
        serious, numbers = kind[0], [row.number for row in having]
        listed = ", ".join(map(str, sorted(numbers)[:12])) + (", …" if len(numbers) > 12 else "")
        first = next(problem for problem in having[0].problems if (problem.serious, problem.kind) == kind)
        cases = f"{len(having)} case{'' if len(having) == 1 else 's'} (number {listed})"
        words = f"{'▲' if serious else '△'} {cases}: {without_flags(first.message)}"
        told.append(("error" if serious else "warning", words))
    return told


def _checked(report: CheckReport, files: dict[int, list[DatasetCase]]) -> list[CaseRow]:
    from ctmri_core.data.case_check import MISPLACED

    return [
        CaseRow(check.number, tuple(files.get(check.number, ())), check.problems, check.briefly, check.has(*MISPLACED))
        for check in report.cases
    ]
