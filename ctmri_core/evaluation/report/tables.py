"""The tables of a report. Conventions stand above each; true translation and cycle never share one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ctmri_core.evaluation.measure_words import words_of
from ctmri_core.evaluation.report.wording import ARROWS, badness, domain_label, model_label, shown, span, unit_and_better
from ctmri_core.evaluation.results import (
    CaseScores,
    Comparison,
    EvaluatedModel,
    Evaluation,
    Kind,
    ShownMetric,
    Summary,
)
from ctmri_core.reporting.document import Cell, Column, Number, Table, count
from ctmri_core.reporting.wording import plural, probability

_MOST_CASES_ON_PAPER = 60
_ARROWS_TOLD = "↑ higher is better, ↓ lower is better, → 0 nearer to 0 is better."
_STATISTICS = (
    Column("Patients"), Column("Mean"), Column("SD"), Column("Median"), Column("95 % interval of the mean"), Column("Range"),
)  # fmt: skip


def models_table(evaluation: Evaluation) -> Table:
    columns = (
        Column("Model", numeric=False), Column("Weights", "SHA-256", numeric=False), Column("Method", numeric=False),
        Column("Direction", numeric=False), Column("Learnt from these cases", numeric=False),
        Column("Licences of training data", numeric=False),
    )  # fmt: skip
    rows = tuple(
        (
            model_label(model), model.weights_sha256 or "–", model.method or "–", _direction(model.direction), _learnt(model),
            ", ".join(model.licences) or "not known",
        )
        for model in evaluation.models
    )
    return Table("Models", columns, rows)


def summary_table(evaluation: Evaluation, kind: Kind, title: str) -> Table | None:
    """Mean, SD, median and interval over patients, by measure and model. None where there is nothing."""
    summaries = [one for one in _ordered(evaluation, kind) if not one.centre and ":" not in one.metric]
    columns = (*_first_columns(), *_STATISTICS)
    rows = tuple((*_first_cells(evaluation, one), *_statistics(evaluation, one)) for one in summaries)
    return Table(title, columns, rows, (*evaluation.conventions, _ARROWS_TOLD), keys=2) if rows else None


def centre_table(evaluation: Evaluation, kind: Kind) -> Table | None:
    """The same by centre; None where there is only one."""
    summaries = [one for one in _ordered(evaluation, kind) if one.centre and ":" not in one.metric]
    columns = (*_first_columns(), Column("Centre", numeric=False), *_STATISTICS)
    rows = tuple((*_first_cells(evaluation, one), one.centre, *_statistics(evaluation, one)) for one in summaries)
    return Table("By centre", columns, rows, (*evaluation.conventions, _ARROWS_TOLD), keys=3) if rows else None


def label_table(evaluation: Evaluation) -> Table | None:
    """Organs or bone; None where no label maps were given."""
    summaries = [one for one in _ordered(evaluation, "translation") if not one.centre and ":" in one.metric]
    columns = (*_first_columns(), *_STATISTICS)
    rows = tuple((*_first_cells(evaluation, one), *_statistics(evaluation, one)) for one in summaries)
    above = (
        *evaluation.conventions,
        "Dice is 0 where the synthetic picture lacks a label that the truth has; HD95 (mm) is not defined there, and is the mean"
        " of the cases in which both have it. The MAE of a label is that of the voxels that are of it in the truth.",
        _ARROWS_TOLD,
    )
    return Table("Labels", columns, rows, above, keys=2) if rows else None


def set_table(evaluation: Evaluation) -> Table | None:
    """Distances of sets of features (FID, KID); the network is named in their title or convention."""
    metrics = [metric for metric in evaluation.metrics if metric.set_level]
    held = [model for model in evaluation.models if model.set_scores]
    if not metrics or not held:
        return None
    columns = (Column("Model", numeric=False), *(_column(metric) for metric in metrics))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (model_label(model), *(shown(model.set_scores.get(metric.key), metric.unit) for metric in metrics)) for model in held
    )
    return Table("Distances of sets of pictures", columns, rows, (*evaluation.conventions, *_set_conventions(metrics)))


def _set_conventions(metrics: Sequence[ShownMetric]) -> Iterator[str]:
    """What is the same of all of them is said once."""
    each = [metric.convention.split("; ") for metric in metrics]
    shared = [part for part in each[0] if len(each) > 1 and all(part in parts for parts in each)]
    for metric, parts in zip(metrics, each, strict=True):
        own = [part for part in parts if part not in shared]
        if own:
            yield f"{metric.title}: {'; '.join(own)}."
    if shared:
        yield f"{'Both' if len(each) == 2 else 'All'}: {'; '.join(shared)}."


def comparison_table(evaluation: Evaluation, kind: Kind) -> Table | None:
    """Pairs of models on the same patients; None where there is one model."""
    compared = [one for one in evaluation.comparisons if one.kind == kind]
    if not compared:
        return None
    tested, several = sum(one.p is not None for one in compared), len(evaluation.models) > 2
    which = "first − second" if several else " − ".join(map(model_label, evaluation.models))
    above = (
        *evaluation.conventions,
        f"Differences are {which}, patient by patient, with 95 % paired bootstrap intervals.",
        f"p: two-sided Wilcoxon signed-rank test over patients; Holm p: corrected for all tests of this table ({tested}).",
    )
    columns = (
        Column("Measure", numeric=False), *([Column("First", numeric=False), Column("Second", numeric=False)] if several else []),
        Column("Patients"), Column("Difference"), Column("95 % interval"), Column("p"), Column("Holm p"),
        Column("What it says", numeric=False),
    )  # fmt: skip
    rows = tuple(_comparison_row(evaluation, one, several=several) for one in compared)
    return Table("Paired comparisons", columns, rows, above, keys=3 if several else 1, sortable=len(rows) > 8)


def case_table(evaluation: Evaluation, kind: Kind) -> Table | None:
    """Each case of each model, the worst first."""
    metrics = [metric for metric in evaluation.metrics if metric.kind == kind and not metric.set_level]
    held = [scores for scores in evaluation.scores if scores.of(kind)]
    if not held or not metrics:
        return None
    ranking = evaluation.metric(evaluation.main_metric, kind) or metrics[0]
    held.sort(key=lambda scores: (-badness(ranking, scores.of(kind).get(ranking.key)), scores.case, scores.model))
    centred, repeated = bool(evaluation.centres), len({case.patient for case in evaluation.cases}) < len(evaluation.cases)
    columns = (
        Column("Case", numeric=False), Column("Model", numeric=False),
        *([Column("Patient")] if repeated else []), *([Column("Centre", numeric=False)] if centred else []),
        *map(_column, metrics), Column("Worst slice"), Column("In summaries", numeric=False),
    )  # fmt: skip
    places = {patient: place for place, patient in enumerate(dict.fromkeys(case.patient for case in evaluation.cases), 1)}
    rows = tuple(_case_row(evaluation, scores, kind, metrics, places if repeated else {}, centred=centred) for scores in held)
    ranked = f"The worst by {ranking.title} first."
    title = "Translations, case by case" if kind == "translation" else "There and back, case by case"
    return Table(
        title, columns, rows, (*evaluation.conventions, ranked), keys=2, sortable=True, most_on_paper=_MOST_CASES_ON_PAPER
    )


def measures_table(evaluation: Evaluation) -> Table:
    """How each measure is taken, and where it is defined."""
    columns = tuple(Column(title, numeric=False) for title in ("Measure", "Of", "Unit", "Better", "How it is taken", "Source"))
    rows = tuple(
        (
            metric.title, "there and back" if metric.kind == "cycle" else "translation", metric.unit or "–", metric.better,
            f"{metric.convention} ({metric.of})", metric.source,
        )
        for metric in evaluation.metrics
    )  # fmt: skip
    return Table("Measures", columns, rows)


def _first_columns() -> tuple[Column, ...]:
    return Column("Measure", numeric=False), Column("Model", numeric=False)


def _first_cells(evaluation: Evaluation, one: Summary) -> tuple[str, str]:
    title, unit, better = words_of(evaluation, one.metric, one.kind)
    return f"{title}{f' ({unit})' if unit else ''} {ARROWS[better]}", model_label(evaluation.model(one.model))


def _statistics(evaluation: Evaluation, one: Summary) -> tuple[Cell, ...]:
    unit = words_of(evaluation, one.metric, one.kind).unit
    of_cases = one.cases != one.patients
    patients = Number(f"{one.patients} ({plural(one.cases, 'case')})", one.patients) if of_cases else count(one.patients)
    measured = (shown(value, unit) for value in (one.mean, one.sd, one.median))
    return patients, *measured, span(one.low, one.high, unit), span(one.least, one.most, unit)


def _ordered(evaluation: Evaluation, kind: Kind) -> list[Summary]:
    """By measure as the evaluation lists them, labels behind in the order of their names, then by centre and model."""
    places = {metric.key: place for place, metric in enumerate(evaluation.metrics) if metric.kind == kind}
    ours = [one for one in evaluation.summaries if one.kind == kind]
    return sorted(ours, key=lambda one: (places.get(one.metric, len(places) + 1000), one.metric, one.centre, one.model))


def _column(metric: ShownMetric) -> Column:
    return Column(metric.title, unit_and_better(metric.unit, metric.better))


def _comparison_row(evaluation: Evaluation, one: Comparison, *, several: bool) -> tuple[Cell, ...]:
    """`several`: there are more than two models, so that a row says which of them it is of."""
    title, unit, _ = words_of(evaluation, one.metric, one.kind)
    first, second = (model_label(evaluation.model(number)) for number in (one.first, one.second))
    numbers = count(one.patients), shown(one.difference, unit, signed=True), span(one.low, one.high, unit)
    tested = probability(one.p), probability(one.p_holm)
    return title, *([first, second] if several else []), *numbers, *tested, _verdict(one)


def _verdict(one: Comparison) -> str:
    if one.better is None:
        return "no difference"
    if one.p_holm is None:
        return f"{one.better} better here; too few to test"
    return f"{one.better} better, beyond chance" if one.clear else f"{one.better} better here, may be chance"


def _case_row(
    evaluation: Evaluation, scores: CaseScores, kind: Kind, metrics: Sequence[ShownMetric], places: dict[str, int], *,
    centred: bool,
) -> tuple[Cell, ...]:  # fmt: skip
    case = evaluation.case(scores.case)
    worst = Number("–") if scores.worst_slice is None or kind == "cycle" else count(scores.worst_slice + 1)
    return (
        case.label,
        model_label(evaluation.model(scores.model)),
        *([count(places[case.patient])] if places else []),
        *([case.centre or "–"] if centred else []),
        *_values(scores, kind, metrics),
        worst,
        scores.left_out or "yes",
    )


def _values(scores: CaseScores, kind: Kind, metrics: Iterable[ShownMetric]) -> Iterator[Number]:
    for metric in metrics:
        yield shown(scores.of(kind).get(metric.key), metric.unit)


def _direction(text: str) -> str:
    source, arrow, target = text.partition("_to_")
    return f"{domain_label(source)} → {domain_label(target)}" if arrow else text


def _learnt(model: EvaluatedModel) -> str:
    if model.trained_on:
        return f"from {plural(len(model.trained_on), 'case')} of them"
    if model.pictures:
        return "not known: finished pictures"
    return "from none" if model.training_known else "not known: its card does not say"
