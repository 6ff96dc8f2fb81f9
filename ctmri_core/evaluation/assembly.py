"""Puts an evaluation together from what was scored: who counts, what is to be known, and the pictures of the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import ctmri_core
from ctmri_core.body_models import BodyModel
from ctmri_core.evaluation.cases import FoundCases
from ctmri_core.evaluation.evaluated_models import Contender
from ctmri_core.evaluation.feature_scores import set_scores
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.results import CasePicture, CaseScores, EvaluatedCase, EvaluatedModel, Evaluation, Problem, ShownMetric
from ctmri_core.evaluation.scoring import Scored
from ctmri_core.evaluation.shown_metrics import conventions, shown, shown_cycle, unit_of
from ctmri_core.evaluation.store import Store
from ctmri_core.evaluation.summary import KINDS, comparisons, curves, few_patients, ranked, summaries
from ctmri_core.events import now
from ctmri_core.inference.precision import choose_device

_FEW = 3
"""Of cases that share a harmless problem, more are told of together."""
Which = Literal["best", "median", "worst"]


@dataclass
class Gathered:
    """What is known so far, by (case, model). `known`: of cases that a model learnt from; `network`: whose features."""

    metrics: tuple[str, ...]
    network: str = ""
    scored: dict[tuple[int, int], Scored] = field(default_factory=dict)
    keys: dict[tuple[int, int], str] = field(default_factory=dict)
    refused: set[tuple[int, int]] = field(default_factory=set)
    known: set[tuple[int, int]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    @property
    def settled(self) -> int:
        return len(self.scored) + len(self.refused)

    def take(self, case: int, model: int, key: str, scored: Scored) -> None:
        self.scored[case, model], self.keys[case, model] = scored, key
        if scored.trained_on:
            self.known.add((case, model))

    def refuse(self, case: int, model: int) -> None:
        self.refused.add((case, model))

    def knows(self, case: int, model: int) -> None:
        self.known.add((case, model))


def assembled(
    order: EvaluationOrder, found: FoundCases, contenders: Sequence[Contender], gathered: Gathered, store: Store,
    outliner: BodyModel | None = None, *, finished: bool,
) -> Evaluation:  # fmt: skip
    """Raises `WriteFailed` for the pictures."""
    direction = found.direction
    cases = tuple(_cases(order, found, gathered))
    scores = tuple(_scores(order, contenders, gathered, len(cases)))
    metrics = [*shown(gathered.metrics, direction.target, gathered.network)]
    if any(one.cycle for one in scores):
        metrics += shown_cycle(direction.source)
    told = tuple(
        one.told(direction, tuple(sorted(case for case, model in gathered.known if model == one.number))) for one in contenders
    )
    problems = [*found.problems, *_shared(gathered, len(cases)), *gathered.problems]
    problems += _training(order, found, contenders, gathered)
    told, of_sets = _with_set_scores(told, scores, gathered, store)
    metrics, never_scored = _without_empty(metrics, scores, told)
    problems += [*of_sets, *never_scored]
    counted = [one for one in scores if one.counted]
    patients = {cases[one.case - 1].patient for one in counted}
    problems += [Problem(kind="few_patients", message=message) for message in few_patients(len(patients))]
    if not counted:
        message = "No case counts, so that nothing can be said of the models. See what was found of the cases."
        problems.append(Problem(kind="other", message=message))
    by = "" if outliner is None else outliner.card.name
    given = [one.given for one in gathered.scored.values()]
    if len(set(given)) > 1:
        message = f"{sum(given)} of {len(given)} scores are inside masks that came with the data, the others inside outlines"
        problems.append(Problem(kind="mask", message=f"{message} that {by or 'this program'} found."))
    main = next((one for one in metrics if one.key == "mae"), next((one for one in metrics if not one.set_level), None))
    return Evaluation(
        made=now(), source=direction.source.value, target=direction.target.value, unit=unit_of(direction.target), data=found.data,
        main_metric=main.key if main else "", metrics=tuple(metrics), models=told, cases=cases,
        conventions=conventions(direction.target, given_masks=any(given), prepared=found.data.prepared, by=by),
        scores=tuple(one.model_copy(update={"agreement": None}) for one in scores), summaries=summaries(scores, cases),
        comparisons=comparisons(scores, cases, metrics), curves=curves(scores),
        pictures=tuple(_pictures(cases, scores, main, gathered, store)), problems=tuple(problems), finished=finished,
        details={"program": f"CT-MRI Studio {ctmri_core.__version__}", **_how(order), **_outlining(outliner)},
    )  # fmt: skip


def _how(order: EvaluationOrder) -> dict[str, Any]:
    """How models answered; nothing of finished pictures."""
    return {"device": choose_device(order.answering.device).type, **order.answering.told} if order.models else {}


def _outlining(outliner: BodyModel | None) -> dict[str, Any]:
    return {} if outliner is None else {"body_model": outliner.card.name, "body_model_hash": outliner.mark}


def _cases(order: EvaluationOrder, found: FoundCases, gathered: Gathered) -> Iterator[EvaluatedCase]:
    facts = {case: scored for (case, _), scored in gathered.scored.items()}
    for number, one in enumerate(found.cases, 1):
        case = EvaluatedCase(
            number=number, key=one.key, patient=one.patient, centre=one.centre, name=one.name if order.names else ""
        )  # fmt: skip
        if scored := facts.get(number):
            geometry = {"shape": scored.shape, "spacing": scored.spacing, "slice_axis": scored.slice_axis}
            case = case.model_copy(update={**geometry, "voxels": scored.voxels})
        yield case


def _scores(
    order: EvaluationOrder, contenders: Sequence[Contender], gathered: Gathered, count: int
) -> Iterator[CaseScores]:  # fmt: skip
    """With numbers filled in, and why some count in no summary: what one model lacks or knows, counts for none."""
    for case in range(1, count + 1):
        reason = _why_out(order, contenders, gathered, case)
        for contender in contenders:
            scored = gathered.scored.get((case, contender.number))
            if scored is not None:
                yield scored.scores.model_copy(update={"case": case, "model": contender.number, "left_out": reason})


def _why_out(order: EvaluationOrder, contenders: Sequence[Contender], gathered: Gathered, case: int) -> str:
    for one in contenders:
        if (case, one.number) in gathered.known and not order.even_trained_on:
            return f"{one.name} learnt from it"
    for one in contenders:
        if (case, one.number) not in gathered.scored:
            return f"{one.name} has no scores of it"
    return ""


def _shared(gathered: Gathered, count: int) -> Iterator[Problem]:
    """Harmless and serious problems of cases that were scored; of many that share one, once."""
    found: defaultdict[tuple[str, str, int | None], set[int]] = defaultdict(set)
    first: dict[tuple[str, str, int | None], Problem] = {}
    for (case, _), scored in gathered.scored.items():
        for problem in scored.problems:
            key = (str(problem.kind), problem.message, problem.model)
            found[key].add(case)
            first.setdefault(key, problem)
    for key, cases in found.items():
        if len(cases) > _FEW:
            yield first[key].model_copy(update={"message": f"{len(cases)} of {count} cases: {key[1]}"})
        else:
            for case in sorted(cases):
                yield first[key].model_copy(update={"case": case})


def _training(
    order: EvaluationOrder, found: FoundCases, contenders: Sequence[Contender], gathered: Gathered
) -> Iterator[Problem]:  # fmt: skip
    """What is known, and what nobody can know, of who learnt from these cases."""
    for one in contenders:
        known = sorted(case for case, model in gathered.known if model == one.number)
        for case in known:
            fate = "counts all the same, as was asked" if order.even_trained_on else "is left out"
            message = f"{one.name} learnt from this case, which {fate}: scores on it say nothing of other patients."
            yield Problem(kind="trained_on", message=message, case=case, model=one.number, left_out=not order.even_trained_on)
        if one.card is None:
            message = f"Nobody can tell which cases were learnt from by what made {one.name}. Name the model (--made-by)."
            yield Problem(kind="trained_on", message=message, model=one.number, serious=False)
            continue
        if not found.data.phantom and _only_phantoms(one):
            continue
        if not any(data.fingerprints for data in one.card.training_data):
            message = f"The card of {one.name} does not say which cases it learnt from: nobody can tell whether it knows these."
            yield Problem(kind="trained_on", message=message, model=one.number, serious=False)
        elif found.data.prepared and not known and not any(_told_by(gathered, one.number)):
            message = (
                f"{one.name} learnt from data that were prepared elsewhere, and prepared slices do not tell whether these cases"
                " are among them. Evaluate on the scans themselves to know."
            )
            yield Problem(kind="trained_on", message=message, model=one.number, serious=False)


def _only_phantoms(one: Contender) -> bool:
    """Whether a model has learnt from nobody's scans."""
    data = () if one.card is None else one.card.training_data
    return bool(data) and all(each.phantom for each in data)


def _told_by(gathered: Gathered, model: int) -> Iterator[bool]:
    """Of each case whether its prints could be compared."""
    return (scored.trained_on is not None for (_, other), scored in gathered.scored.items() if other == model)


def _with_set_scores(
    told: Sequence[EvaluatedModel], scores: Sequence[CaseScores], gathered: Gathered, store: Store
) -> tuple[tuple[EvaluatedModel, ...], list[Problem]]:  # fmt: skip
    """Distances of sets, of the cases that count, and whether these are enough slices. Raises `FileRefused`."""
    models, problems = [], []
    for model in told:
        places = [(one.case, one.model) for one in scores if one.counted and one.model == model.number]
        each = [store.features(gathered.keys[place]) for place in places if gathered.scored[place].seen]
        found, slices, features = set_scores(each, gathered.metrics)
        models.append(model.model_copy(update={"set_scores": found}))
        if "frechet_distance" in found and slices <= features:
            message = f"{slices} slices are no more than the {features} features: a Fréchet distance of so few is too large."
            problems.append(Problem(
                kind="other", message=f"{message} Compare it with others of as many alone.", model=model.number, serious=False
            ))  # fmt: skip
    return tuple(models), problems


def _without_empty(
    metrics: Sequence[ShownMetric], scores: Sequence[CaseScores], models: Sequence[EvaluatedModel]
) -> tuple[list[ShownMetric], list[Problem]]:  # fmt: skip
    """Measures that say nothing of any case are no columns."""
    counts: Counter[tuple[str, str]] = Counter(
        (kind, key) for one in scores for kind in KINDS for key, value in one.of(kind).items() if value is not None
    )
    counts.update(("translation", key) for model in models for key in model.set_scores)
    kept = [metric for metric in metrics if not scores or counts[metric.kind, metric.key]]
    problems = []
    for metric in metrics:
        if metric not in kept:
            why = "the pictures have too few slices, rows or columns, or nothing of what it measures"
            message = f"{metric.title} could not be taken of any case: {why}."
            problems.append(Problem(kind="not_scored", message=message, serious=False))
    return kept, problems


def _pictures(
    cases: Sequence[EvaluatedCase], scores: Sequence[CaseScores], main: ShownMetric | None, gathered: Gathered, store: Store
) -> Iterator[CasePicture]:  # fmt: skip
    """Of each model the worst slices of its best, middle and worst case."""
    if main is None:
        return
    for model in sorted({one.model for one in scores}):
        own = ranked([one for one in scores if one.model == model], main)
        places: dict[Which, int] = {"best": 0, "median": len(own) // 2, "worst": len(own) - 1}
        shown_places: set[int] = set()
        for which, place in places.items():
            if own and place not in shown_places:
                shown_places.add(place)
                picture = _picture(which, own[place], cases[own[place].case - 1], len(own), main, gathered, store)
                if picture is not None:
                    yield picture


def _picture(
    which: Which, scores: CaseScores, case: EvaluatedCase, count: int, main: ShownMetric, gathered: Gathered, store: Store
) -> CasePicture | None:  # fmt: skip
    place = (scores.case, scores.model)
    facts = gathered.scored[place].picture
    if facts is None:
        return None
    files = {part: store.take_picture(gathered.keys[place], part, f"model{scores.model}-{which}") for part in facts.parts}
    value = scores.values.get(main.key)
    who = f"The {which} of {count} cases" if count > 1 else "The only case"
    caption = f"{who} ({case.label}), {main.title} {value:.4g} {main.unit}".rstrip() + f"; its worst slice, {facts.k + 1}"
    return CasePicture(
        which=which, model=scores.model, case=scores.case, k=facts.k, error=facts.error, source_file=files.get("source", ""),
        synthetic_file=files["synthetic"], truth_file=files["truth"], difference_file=files["difference"],
        source_window=facts.source_window, target_window=facts.target_window, difference=facts.difference, aspect=facts.aspect,
        caption=caption,
    )  # fmt: skip
