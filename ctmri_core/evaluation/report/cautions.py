"""What there is to know before the numbers are believed, the loudest first, one box for what is the same of many cases."""

from __future__ import annotations

from collections.abc import Iterator

from ctmri_core.evaluation.report.wording import model_label
from ctmri_core.evaluation.results import Evaluation, Problem, ProblemKind
from ctmri_core.reporting.document import Block, Caution, Paragraph, listed
from ctmri_core.reporting.wording import plural

_TITLES: dict[ProblemKind, str] = {
    "trained_on": "A model learnt from these cases", "misaligned": "Truth and source are not aligned",
    "few_patients": "Few patients", "swapped": "Source and truth look swapped", "not_hounsfield": "Values are not HU",
    "wrong_kind": "Pictures of another kind", "synthetic_truth": "The truth is synthetic itself", "geometry": "Geometry",
    "not_finite": "Values that are no numbers", "constant": "Constant pictures", "empty_mask": "Empty mask", "mask": "Masks",
    "missing": "Missing", "unreadable": "Cannot be read", "not_scored": "Not scored", "windowed": "Values are cut off",
    "prepared": "Prepared data", "resampled": "Resampled", "other": "Note",
}  # fmt: skip
_ORDER = {kind: place for place, kind in enumerate(_TITLES)}
_MOST_BOXES = 24


def cautions(evaluation: Evaluation) -> tuple[Block, ...]:
    """Boxes, or one sentence where nothing was found."""
    boxes = [*_of_whole(evaluation), *_of_problems(evaluation)]
    if not boxes:
        return (Paragraph("Nothing was found that would make these numbers mean something else than they say."),)
    boxes.sort(key=lambda box: not box.serious)
    kept: list[Block] = list(boxes[:_MOST_BOXES])
    if len(boxes) > _MOST_BOXES:
        kept.append(Paragraph(f"{len(boxes) - _MOST_BOXES} more are in evaluation.json."))
    return tuple(kept)


def _of_whole(evaluation: Evaluation) -> Iterator[Caution]:
    if not evaluation.finished:
        done = len({scores.case for scores in evaluation.scores})
        told = f"It was stopped: {done} of {plural(len(evaluation.cases), 'case')} were scored. All numbers are of those alone."
        yield Caution("This evaluation is unfinished", told)
    if not any(scores.counted for scores in evaluation.scores):
        yield Caution("Nothing was scored", "No case is in any summary, so there is nothing to say of any model.")
    told_of = {problem.model for problem in evaluation.problems if problem.kind == "trained_on"}
    if None not in told_of:
        for model in evaluation.models:
            if model.trained_on and model.number not in told_of:
                cases = f"Model {model_label(model)} learnt from case {listed(model.trained_on)}."
                yield Caution(_TITLES["trained_on"], f"{cases} Scores on them say little of new patients.")
    if evaluation.data.phantom:
        yield Caution("Phantoms, not patients", "The cases are computed phantoms. Scores say nothing of patients.")


def _of_problems(evaluation: Evaluation) -> Iterator[Caution]:
    groups: dict[tuple[bool, ProblemKind, str, bool], list[Problem]] = {}
    for problem in evaluation.problems:
        groups.setdefault((not problem.serious, problem.kind, problem.message, problem.left_out), []).append(problem)
    for (mild, kind, message, left_out), problems in sorted(groups.items(), key=lambda group: (group[0][0], _ORDER[group[0][1]])):
        where = _where(evaluation, problems)
        out = " Left out of all summaries." if left_out else ""
        yield Caution(_TITLES[kind], f"{where}{message}{out}", serious=not mild)


def _where(evaluation: Evaluation, problems: list[Problem]) -> str:
    """`Model 1 · x, cases 1, 2 and 480 more: `, empty where it is of all."""
    cases = sorted({problem.case for problem in problems if problem.case is not None})
    models = sorted({problem.model for problem in problems if problem.model is not None})
    known = [model_label(evaluation.model(number)) for number in models if number <= len(evaluation.models)]
    parts = [f"model {listed(known)}"] if known else []
    if cases:
        names = [evaluation.case(number).label for number in cases if number <= len(evaluation.cases)]
        parts.append(listed(names, 20))
    told = ", ".join(parts)
    return f"{told[:1].upper()}{told[1:]}: " if told else ""
