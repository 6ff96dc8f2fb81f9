"""One reader's counts: exact intervals, sensitivity to a difference, equivalence and sample sizes, against published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from ctmri_core.statistics.answers import NotComputable, estimate
from ctmri_core.statistics.equivalence import Equivalence, of_estimate, of_proportion, verdict
from ctmri_core.statistics.intervals import binomial_p, clopper_pearson, naive_pool, proportion, wilson
from ctmri_core.statistics.power import (
    critical_count,
    planning_table,
    power_against_chance,
    power_of_equivalence,
    trials_against_chance,
    trials_for_equivalence,
)
from ctmri_core.statistics.signal_detection import forced_choice, yes_no


@pytest.mark.parametrize(
    ("successes", "trials", "null", "low", "high", "p"),
    [
        (682, 925, 0.75, 0.707668, 0.765407, 0.382492),  # R, binom.test
        (0, 20, 0.5, 0.0, 0.168433, 2 / 2**20),
        (10, 10, 0.5, 0.691503, 1.0, 2 / 2**10),
        (15, 20, 0.5, 0.508954, 0.913429, 0.041389),
        (60, 100, 0.5, 0.497209, 0.696705, 0.056888),
        (61, 100, 0.5, 0.507314, 0.705990, 0.035200),
    ],
)
def test_exact_intervals_and_p(successes: int, trials: int, null: float, low: float, high: float, p: float):
    found = proportion(successes, trials, null=null)
    assert not isinstance(found, NotComputable)
    assert (found.interval.low, found.interval.high, found.p) == pytest.approx((low, high, p), abs=5e-7)
    assert found.value == successes / trials and found.interval.confidence == 0.95


def test_exact_intervals_are_those_of_scipy():
    for successes, trials, null in ((3, 17, 0.2), (250, 1000, 0.3), (1, 3, 0.9)):
        other = binomtest(successes, trials, null)
        bounds = other.proportion_ci(0.9)
        assert binomial_p(successes, trials, null) == pytest.approx(other.pvalue)
        found = clopper_pearson(successes, trials, 0.9)
        assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))


def test_wilson():
    found = wilson(15, 20)
    assert (found.low, found.high) == pytest.approx((0.531299, 0.888138), abs=5e-7)
    assert (wilson(0, 9).low, wilson(9, 9).high) == (0.0, 1.0)


def test_published_counts_of_a_reading_session():
    whole, synthetic = proportion(1781, 3000), proportion(779, 1500)
    assert not isinstance(whole, NotComputable) and not isinstance(synthetic, NotComputable)
    assert (round(100 * whole.value, 2), round(100 * synthetic.value, 2)) == (59.37, 51.93)
    assert synthetic.p == pytest.approx(0.1411, abs=5e-5)


def test_pooled_answers_are_called_naive_and_say_by_how_much():
    alike = np.tile(np.arange(40) % 2, (5, 1))
    found = naive_pool(alike)
    assert not isinstance(found, NotComputable)
    assert found.naive.trials == 200 and (found.icc, found.design_effect) == pytest.approx((1.0, 5.0))
    independent = np.random.default_rng(0).integers(0, 2, (20, 5000))
    loose = naive_pool(independent)
    assert not isinstance(loose, NotComputable) and loose.icc == pytest.approx(0, abs=0.01)
    gaps = np.where(np.arange(40) < 10, np.nan, alike)
    some = naive_pool(gaps)
    assert not isinstance(some, NotComputable) and some.naive.trials == 150
    once = naive_pool(np.ones((1, 6)))
    assert not isinstance(once, NotComputable) and once.icc is None and once.design_effect is None


def test_yes_no():
    found = yes_no(40, 50, 10, 50, correction="at the ends")
    assert not isinstance(found, NotComputable) and not found.corrected
    assert (found.d_prime.value, found.d_prime.se) == pytest.approx((1.683242, 0.285753), abs=5e-7)
    assert (found.criterion, found.log_beta) == pytest.approx((0, 0), abs=1e-12)
    extreme = yes_no(50, 50, 0, 50)
    assert not isinstance(extreme, NotComputable) and extreme.corrected
    assert extreme.d_prime.value == pytest.approx(4.667537, abs=5e-7)
    real = yes_no(10, 50, 5, 50)  # says "real" most of the time
    assert not isinstance(real, NotComputable) and real.criterion > 0


def test_standard_error_of_d_prime_by_drawing():
    random = np.random.default_rng(2)
    drawn = [
        yes_no(int(hits), 200, int(alarms), 150)
        for hits, alarms in zip(random.binomial(200, 0.7, 4000), random.binomial(150, 0.35, 4000), strict=True)
    ]
    spread = np.std([each.d_prime.value for each in drawn if not isinstance(each, NotComputable)])
    found = yes_no(140, 200, 52, 150)
    assert not isinstance(found, NotComputable) and found.d_prime.se == pytest.approx(spread, rel=0.04)


@pytest.mark.parametrize(("percent", "wanted"), [(60, 0.358287), (75, 0.953873), (90, 1.812388)])
def test_forced_choice(percent: int, wanted: float):
    found = forced_choice(percent, 100, correction="at the ends")
    assert not isinstance(found, NotComputable)
    assert found.d_prime.value == pytest.approx(wanted, abs=5e-7)
    if percent == 75:
        assert found.d_prime.se == pytest.approx(0.192705, abs=5e-7)


def test_a_d_prime_of_one_is_76_percent_of_pairs():
    found = forced_choice(7_602_499, 10_000_000, correction="at the ends")  # sensR
    assert not isinstance(found, NotComputable) and found.d_prime.value == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("successes", "trials", "margin", "p"), [(50, 100, 0.1, 0.027099), (155, 300, 0.1, 0.002086), (300, 600, 0.05, 0.007850)]
)
def test_exact_equivalence(successes: int, trials: int, margin: float, p: float):
    found = of_proportion(successes, trials, margin)
    assert isinstance(found, Equivalence) and found.equivalent
    assert found.p == pytest.approx(p, abs=5e-7)


def test_equivalence_is_the_interval_inside_the_margin():
    for trials in (20, 101, 240):
        for successes in range(trials + 1):
            found = of_proportion(successes, trials, 0.1)
            assert isinstance(found, Equivalence)
            assert found.equivalent == (found.interval.low > 0.4 and found.interval.high < 0.6)
            assert found.not_inferior == (found.interval.low > 0.4)


def test_equivalence_by_t():
    found = of_estimate(estimate(0.54, 1.2 / 10, null=0.5, df=99), 0.36)
    assert isinstance(found, Equivalence) and found.equivalent
    assert (found.p_above, found.p_below) == pytest.approx((0.000604002, 0.004474619), abs=5e-10)  # TOSTER
    assert found.p == found.p_below


def test_the_verdict_has_three_wordings_and_never_takes_a_large_p_for_equality():
    def said(correct: int, trials: int) -> str:
        return verdict(proportion(correct, trials), of_proportion(correct, trials, 0.1), 0.1).words

    assert said(70, 100) == "better than chance"
    assert said(300, 600) == "equivalent to chance within ±0.1"
    assert said(11, 20) == "inconclusive"
    assert said(5300, 10_000) == "better than chance, and equivalent to chance within ±0.1"
    assert said(30, 100) == "inconclusive" and said(4700, 10_000) == "inconclusive"
    mirrored = verdict(proportion(30, 100), of_proportion(30, 100, 0.1), 0.1)
    assert mirrored.worse and not mirrored.better
    nothing = NotComputable("why")
    assert verdict(nothing, nothing, 0.1).words == "inconclusive"
    with pytest.raises(ValueError, match="another margin"):
        verdict(proportion(30, 60), of_proportion(30, 60, 0.2), 0.1)


def test_the_planning_table():
    rows = [(row.accuracy or row.margin, row.trials_80, row.trials_90) for row in planning_table()]
    assert rows == [
        (0.55, 820, 1080), (0.6, 210, 274), (0.65, 97, 121), (0.7, 54, 70), (0.75, 35, 42),
        (0.15, 100, 126), (0.1, 227, 281), (0.05, 888, 1104),
    ]  # fmt: skip


def test_critical_counts():
    wanted = {20: 15, 40: 27, 50: 33, 60: 39, 80: 50, 100: 61, 200: 115, 300: 168}
    assert {trials: critical_count(trials) for trials in wanted} == wanted
    assert critical_count(5) is None and critical_count(6) == 6
    for trials in (17, 64):
        significant = [binomtest(count, trials).pvalue <= 0.05 for count in range(trials // 2, trials + 1)]
        assert critical_count(trials) == trials // 2 + significant.index(True)


def test_power_by_adding_up_outcomes():
    for trials, accuracy in ((30, 0.7), (51, 0.45)):
        outcomes = binom.pmf(range(trials + 1), trials, accuracy)
        shown = [binomtest(count, trials).pvalue <= 0.05 for count in range(trials + 1)]
        assert power_against_chance(trials, accuracy) == pytest.approx(outcomes[shown].sum())
        alike = [found.equivalent for found in (of_proportion(count, trials, 0.25) for count in range(trials + 1))]
        assert power_of_equivalence(trials, 0.25, accuracy=accuracy) == pytest.approx(outcomes[alike].sum())
    assert power_of_equivalence(10, 0.05) == 0


def test_what_cannot_be_planned_says_why():
    assert isinstance(trials_against_chance(0.503), NotComputable)
    assert isinstance(trials_for_equivalence(0.1, accuracy=0.6), NotComputable)
    assert trials_against_chance(1.0) == 6


def test_without_answers_there_is_no_value():
    for found in (proportion(0, 0), forced_choice(0, 0), yes_no(0, 0, 3, 9), yes_no(3, 9, 0, 0), of_proportion(0, 0, 0.1)):
        assert isinstance(found, NotComputable) and found.because.endswith(".")
    assert isinstance(naive_pool(np.full((3, 4), np.nan)), NotComputable)
    assert (clopper_pearson(0, 0).low, clopper_pearson(0, 0).high) == (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_mistakes_of_a_caller_are_not_answers():
    for function, *given in ((proportion, 3, 2), (yes_no, -1, 2, 0, 2), (of_proportion, 1, 2, 0), (naive_pool, [[0.5]])):
        with pytest.raises(ValueError, match="no "):
            function(*given)
    with pytest.raises(ValueError, match="no probability"):
        binomial_p(1, 2, 1.5)
