"""Statistics over few patients, against enumeration, hand calculation and scipy; calibration and agreement of known errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import bootstrap, rankdata, spearmanr, wilcoxon

from ctmri_core.evaluation.calibration import agreement, calibration, joint_agreement, mean_calibration
from ctmri_core.evaluation.results import CaseScores, EvaluatedCase, LabelScore, ShownMetric
from ctmri_core.evaluation.summary import comparisons, few_patients, ranked, summaries
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.statistics.multiplicity import holm
from ctmri_core.statistics.trends import signed_rank


def test_the_interval_is_that_of_another_bootstrap():
    values = np.random.default_rng(3).normal(40, 12, 25)
    result = bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1))
    assert interval(values) == pytest.approx(tuple(result.confidence_interval), abs=0.4)
    assert interval(values) == interval(values)


@pytest.mark.parametrize(
    "differences", [(3.1, -0.4, 5.0, 2.2, 0.9, -1.7, 4.4), (1.0, 1.0, 1.0, -1.0, 2.0, 2.0), (0.5, 0.5, 0.5, 0.5, 0.5)]
)
def test_signed_ranks_by_trying_every_sign(differences):
    differences = np.array(differences)
    ranks = rankdata(np.abs(differences))
    seen = ranks[differences > 0].sum()
    sums = np.array([ranks[np.array(signs) > 0].sum() for signs in product((-1, 1), repeat=len(ranks))])
    wanted = min(1.0, 2 * min(np.mean(sums <= seen), np.mean(sums >= seen)))
    assert signed_rank(differences) == pytest.approx(wanted)
    assert signed_rank([0.0, *differences]) == signed_rank(differences)


def test_signed_ranks_of_many_are_those_of_scipy():
    differences = np.random.default_rng(5).normal(0.3, 1, 51)
    assert signed_rank(differences[:50]) == pytest.approx(wilcoxon(differences[:50], method="exact").pvalue)
    assert signed_rank(differences) == pytest.approx(wilcoxon(differences, method="approx").pvalue)
    assert signed_rank([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == pytest.approx(2 / 2**6)
    assert signed_rank([0.0, 0.0]) == 1.0


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, then at least as much as before, at most 1
    assert holm([0.02, 0.01, 0.04, 0.9]) == pytest.approx([0.06, 0.04, 0.08, 0.9])
    assert holm([0.03, 0.03]) == pytest.approx([0.06, 0.06])
    assert holm([None, 0.5, 0.6]) == [None, 1.0, 1.0]
    assert holm([]) == []


def case(number: int, patient: str, centre: str = "") -> EvaluatedCase:
    return EvaluatedCase(number=number, key=f"{number:016x}", patient=patient, centre=centre)


def scores(model: int, number: int, mae: float | None, **more: object) -> CaseScores:
    return CaseScores(model=model, case=number, values={"mae": mae}, **more)


MAE = ShownMetric(key="mae", title="MAE", better="lower", lowest=0, highest=np.inf, convention="", source="")


def test_patients_count_once_however_many_cases_they_have():
    cases = [case(1, "a", "x"), case(2, "a", "x"), case(3, "b", "y"), case(4, "c", "y")]
    found = summaries([scores(1, 1, 10), scores(1, 2, 30), scores(1, 3, 50), scores(1, 4, 5, left_out="known")], cases)
    whole, of_x, of_y = found
    assert (whole.patients, whole.cases, whole.mean, whole.median) == (2, 3, 35, 35)
    assert whole.sd == pytest.approx(np.std([20, 50], ddof=1))
    assert whole.low is not None and 20 <= whole.low <= whole.mean <= (whole.high or 0) <= 50
    assert (of_x.centre, of_x.mean, of_x.sd, of_x.low) == ("x", 20, None, None)
    assert (of_y.centre, of_y.patients) == ("y", 1)


def test_models_are_compared_patient_by_patient():
    cases = [case(n, f"p{n}") for n in range(1, 9)]
    random = np.random.default_rng(0)
    first, gains = random.normal(100, 30, 8), random.normal(5, 2, 8)
    both = [scores(1, n + 1, first[n]) for n in range(8)] + [scores(2, n + 1, first[n] - gains[n]) for n in range(8)]
    [found] = comparisons(both, cases, [MAE])
    assert found.difference == pytest.approx(gains.mean())
    assert (found.low, found.high) == pytest.approx(interval(gains))
    assert found.p == found.p_holm == pytest.approx(signed_rank(gains))
    assert found.better == 2 and found.patients == 8 and found.clear
    missing = [one if one.model == 1 or one.case > 3 else scores(2, one.case, None) for one in both]
    [fewer] = comparisons(missing, cases, [MAE])
    assert fewer.patients == 5 and fewer.difference == pytest.approx(gains[3:].mean())


def test_labels_are_tested_too_and_holm_counts_all():
    cases = [case(n, f"p{n}") for n in range(1, 8)]
    both = [
        scores(model, n, 10.0 * n + model, labels=(LabelScore(label="bone", dice=0.5 + 0.01 * n * model),))
        for model in (1, 2) for n in range(1, 8)
    ]  # fmt: skip
    found = {one.metric: one for one in comparisons(both, cases, [MAE])}
    assert set(found) == {"mae", "dice:bone"}
    assert found["dice:bone"].better == 2 and found["mae"].better == 1
    assert found["mae"].p_holm == pytest.approx(2 * (found["mae"].p or 0))


def test_ranks_go_by_what_is_better():
    three = [scores(1, 1, 30), scores(1, 2, 10), scores(1, 3, 20)]
    assert [one.case for one in ranked(three, MAE)] == [2, 3, 1]
    assert [one.case for one in ranked(three, MAE.model_copy(update={"better": "higher"}))] == [1, 3, 2]
    assert [list(few_patients(count)) != [] for count in (1, 5, 6)] == [True, True, False]


def test_calibration_of_errors_whose_spread_is_known():
    random = np.random.default_rng(0)
    spread = random.uniform(1, 40, 100_000)
    error = random.normal(0, spread)
    found = calibration(spread, error)
    assert found is not None
    assert found.inside == pytest.approx((0.6827, 0.9545, 0.9973), abs=0.005)
    for point in found.points:
        assert point.error == pytest.approx(point.spread, rel=0.05)
    assert found.correlation == pytest.approx(spearmanr(spread, np.abs(error)).statistic, abs=1e-6)
    half = calibration(spread / 2, error)
    assert half is not None and half.inside[1] == pytest.approx(found.inside[0], abs=1e-9)
    both = mean_calibration([found, half])
    assert both is not None and both.points[0].spread == pytest.approx(0.75 * found.points[0].spread)
    assert calibration(np.ones(100), np.arange(100.0)) is None
    assert mean_calibration([]) is None


def test_agreement_joins_cases_as_if_they_were_one():
    random = np.random.default_rng(1)
    truth = random.normal(100, 200, 5000)
    made = truth + random.normal(12, 30, 5000)
    parts = [agreement(truth[part], made[part], -1000, 2000, 500) for part in (slice(0, 1200), slice(1200, None))]
    joined, whole = joint_agreement(parts), agreement(truth, made, -1000, 2000, 500)
    assert joined is not None
    assert (joined.bias, joined.sd) == pytest.approx(((made - truth).mean(), (made - truth).std()))
    assert joined.counts == whole.counts and np.sum(joined.counts) == joined.voxels == 5000
    assert joined.limits == pytest.approx((joined.bias - 1.96 * joined.sd, joined.bias + 1.96 * joined.sd))
    assert joint_agreement([]) is None
