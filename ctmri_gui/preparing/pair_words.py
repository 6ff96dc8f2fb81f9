"""What is said of a case that is looked at: (words, role of the label) each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctmri_gui.preparing.pair_work import LoadedCase, Position
from ctmri_gui.training.new_run.case_rows import without_flags

if TYPE_CHECKING:
    from ctmri_core.alignment import Alignment

_ALONE = "This case shows one kind of picture; there is nothing to lay on each other."
_GOOD = "✓ Nothing was found wrong with this case."


def problems_told(loaded: LoadedCase, position: Position | None, *, placed: bool) -> tuple[str, str]:
    """`placed`: a person accepted a position. Where the pictures lie well by it, it does not matter how the files had them."""
    settled = placed and (position is None or position.after.good)
    problems = [problem for problem in loaded.check.problems if not settled or not problem.misplaced]
    if not problems:
        return _GOOD if len(loaded.domains) > 1 else _ALONE, "good" if len(loaded.domains) > 1 else "muted"
    role = "error" if any(problem.serious for problem in problems) else "warning"
    return "\n".join(without_flags(problem.message) for problem in problems), role


def lying_told(loaded: LoadedCase, position: Position) -> tuple[tuple[str, str], tuple[str, str]]:
    """How the pictures lie as the files say, and after; of what was not moved only the first."""
    before, after = position.before, position.after
    unmoved = position.lies_as(loaded.as_filed(position.domain))
    role = "warning" if unmoved and not before.good else "muted"
    first = f"{'As the files say' if unmoved else 'Before'}: {_words(before)}", role
    if position.problem:
        return first, (f"Registration failed: {position.problem}", "error")
    if unmoved:
        return first, ("", "muted")
    told = position.told(loaded.volume(position.domain))
    return first, (f"After: {_words(after)}; {told}", "muted" if after.good else "warning")


def _words(alignment: Alignment) -> str:
    return ("" if alignment.good else f"{alignment.state}: ") + alignment.numbers
