"""Several readers and cases: areas, Obuchowski-Rockette, U-statistics, drawing again; published listings, enumeration, edges."""

from __future__ import annotations

from dataclasses import astuple, replace
from itertools import product
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import mannwhitneyu, t

from ctmri_core.statistics import mrmc, mrmc_power, roc
from ctmri_core.statistics.answers import Estimate, Interval, NotComputable, Significance
from ctmri_core.statistics.bootstrap import readers_and_cases
from ctmri_core.statistics.equivalence import Equivalence, of_estimate, verdict
from ctmri_core.statistics.figures import Figures, figures
from ctmri_core.statistics.intervals import Proportion, proportion
from ctmri_core.statistics.power import power_against_chance, power_of_equivalence
from ctmri_core.statistics.readings import Readings
from ctmri_core.statistics.subgroups import case_groups, reader_groups
from ctmri_core.statistics.u_statistics import UStatistic, area_difference, mean_area
from tests.core.published_readings import imrmc_example, van_dyke


def analysed(readings: Readings, figure: str = "auc", covariance: str = "jackknife") -> mrmc.Analysis:
    found = mrmc.analyse(readings, figure, covariance)
    assert isinstance(found, mrmc.Analysis)
    return found


def compared(analysis: mrmc.Analysis, holds_for: str = "readers and cases") -> tuple[mrmc.Comparison, Significance]:
    found = mrmc.compare(analysis, holds_for=holds_for)
    assert isinstance(found, mrmc.Comparison) and isinstance(found.test, Significance)
    return found, found.test


def bounds(found: Estimate | NotComputable) -> tuple[float, float]:
    assert isinstance(found, Estimate) and isinstance(found.interval, Interval)
    return found.interval.low, found.interval.high


def study(seed: int = 0, modalities: int = 2, readers: int = 3, cases: tuple[int, int] = (6, 5), gaps: float = 0.0) -> Readings:
    """Made-up readings with ties; a share of `gaps`."""
    random = np.random.default_rng(seed)
    signal = np.repeat([False, True], cases)
    scores = np.round(random.normal(size=(modalities, readers, sum(cases))) + signal + random.normal(size=sum(cases)))
    scores[random.random(scores.shape) < gaps] = np.nan
    names = [tuple(f"{kind}{number}" for number in range(count)) for kind, count in zip("mrc", scores.shape, strict=True)]
    return Readings(names[0], names[1], names[2], signal, scores)


@pytest.mark.shared_data
def test_the_listing_of_a_published_analysis(shared_data: Path):
    analysis = analysed(van_dyke(shared_data))
    parts = analysis.components
    squares = parts.ms_modality, parts.ms_reader, parts.ms_interaction
    assert squares == pytest.approx((0.00479617, 0.00383620, 0.00055103), abs=5e-9)
    assert (parts.variance, parts.cov1, parts.cov2, parts.cov3) == pytest.approx(
        (0.00080229, 0.00034661, 0.00034407, 0.00023903), abs=5e-9
    )
    both, test = compared(analysis)
    assert (test.statistic, both.df2, test.p) == pytest.approx((4.45631869, 15.25967459, 0.05166569), abs=5e-9)
    [difference] = both.differences
    assert (difference.first, difference.second) == ("1", "2")
    assert (difference.estimate.value, difference.estimate.se) == pytest.approx((0.04380032, 0.02074862), abs=5e-9)
    assert bounds(difference.estimate) == pytest.approx((-0.00035885, 0.08795950), abs=5e-9)
    fixed_readers, chi2 = compared(analysis, "cases")
    assert (chi2.statistic, chi2.p, fixed_readers.df1) == (pytest.approx(5.47595, abs=5e-6), pytest.approx(0.01928, abs=5e-6), 1)
    fixed_cases, f = compared(analysis, "readers")
    assert (f.statistic, f.p, fixed_cases.df2) == (pytest.approx(8.704, abs=5e-4), pytest.approx(0.04196, abs=5e-6), 4)
    single = mrmc.against(analysis, "1")
    assert isinstance(single, Estimate)
    assert (single.value, single.se) == pytest.approx((0.89703704, 0.03317360), abs=5e-9)
    assert single.df == pytest.approx(12.74, abs=5e-3)
    assert bounds(single) == pytest.approx((0.825224, 0.968850), abs=5e-7)


@pytest.mark.shared_data
def test_the_published_analysis_with_other_covariances(shared_data: Path):
    found, test = compared(analysed(van_dyke(shared_data), covariance="delong"))
    assert (test.statistic, found.df2, test.p) == pytest.approx((4.48485432, 15.06610794, 0.05123303), abs=5e-9)
    unbiased = analysed(van_dyke(shared_data), covariance="unbiased").components
    assert unbiased.variance == pytest.approx(0.00080229, rel=0.03) and unbiased.cov3 == pytest.approx(0.00023903, rel=0.03)


@pytest.mark.shared_data
def test_the_stored_result_of_u_statistics(shared_data: Path):
    readings = imrmc_example(shared_data)
    known = {"testA": (0.704375, 0.0063139302, 6.805222), "testB": (0.7585, 0.0023720528, 27.408388)}
    for name, (value, variance, df) in known.items():
        found = mean_area(readings, name)
        assert isinstance(found, UStatistic)
        assert (found.by_t.value, found.variance) == pytest.approx((value, variance), abs=5e-11)
        assert found.by_t.df == pytest.approx(df, abs=5e-7)
    found = area_difference(readings, "testB", "testA")
    assert isinstance(found, UStatistic)
    assert (found.by_t.value, found.variance) == pytest.approx((-0.054125, 0.0049895091), abs=5e-11)
    assert found.by_t.df == pytest.approx(7.350070, abs=5e-7)
    assert isinstance(found.by_normal.test, Significance) and isinstance(found.by_t.test, Significance)
    assert found.by_normal.test.p == pytest.approx(0.4435291, abs=5e-8)
    assert bounds(found.by_normal) == pytest.approx((-0.1925699, 0.0843199), abs=5e-8)
    assert found.by_t.test.p == pytest.approx(0.467421, abs=5e-7)  # 0.468576 with the degrees of freedom cut to 7


@pytest.mark.shared_data
def test_published_power(shared_data: Path):
    spread = mrmc_power.spread_of_difference(analysed(van_dyke(shared_data)))
    assert isinstance(spread, mrmc_power.Spread)
    for holds_for, cases, wanted in (
        ("readers and cases", 165, 0.80541995), ("cases", 131, 0.80091813), ("readers", 53, 0.80496663),
    ):  # fmt: skip
        reached = mrmc_power.power_to_differ(spread, 0.043800322, 10, cases, holds_for=holds_for)
        assert reached == pytest.approx(wanted, abs=5e-9)
        fewest = mrmc_power.cases_to_differ(spread, 0.043800322, 10, holds_for=holds_for)
        assert isinstance(fewest, int) and fewest <= cases
        reached = mrmc_power.power_to_differ(spread, 0.043800322, 10, fewest - 1, holds_for=holds_for)
        assert isinstance(reached, float) and reached < 0.8


def test_power_of_one_modality_is_that_of_drawn_studies():
    random = np.random.default_rng(1)

    def drawn(readers: int, cases: int) -> Readings:
        signal = np.arange(cases) % 2 == 0
        effects = random.normal(0.4, 0.3, (readers, 1)) * signal
        scores = random.normal(0, 0.7, cases) + random.normal(0, 0.7, (readers, cases)) + effects
        return Readings(("m",), tuple(map(str, range(readers))), tuple(map(str, range(cases))), signal, scores[None])

    spreads = [mrmc_power.spread_of_modality(analysed(drawn(20, 200)), "m") for _ in range(8)]
    parts = np.mean([(each.readers, each.own, each.shared) for each in spreads if isinstance(each, mrmc_power.Spread)], axis=0)
    effect = float(ndtr(0.4 / sqrt(2 * 0.98 + 0.3**2))) - 0.5
    wanted = mrmc_power.power_to_differ(mrmc_power.Spread(*parts, cases=200, parts=1), effect, 6, 100)
    found = [mrmc.against(analysed(drawn(6, 100)), "m") for _ in range(400)]
    rate = np.mean([bounds(each)[0] > 0.5 for each in found])
    assert wanted == pytest.approx(rate, abs=0.08)  # three standard errors of so many studies


def test_power_from_assumptions_is_that_of_trials():
    """Readers who answer independently are as many trials, readers who all answer alike are one."""
    for icc, trials in ((0.0, 1000), (1.0, 500)):
        better, alike = (mrmc_power.assumed_spread(accuracy, 0.0, icc) for accuracy in (0.55, 0.5))
        differ = mrmc_power.power_to_differ(better, 0.05, 2, 500, holds_for="cases")
        assert differ == pytest.approx(power_against_chance(trials, 0.55), abs=0.04)
        equal = mrmc_power.power_of_equivalence(alike, 0.06, 2, 500, holds_for="cases")
        assert equal == pytest.approx(power_of_equivalence(trials, 0.06), abs=0.04)
    spread = mrmc_power.assumed_spread(0.5, 0.03, 0.2)
    fewest = mrmc_power.cases_for_equivalence(spread, 0.1, 6)
    assert isinstance(fewest, int)
    reached = [mrmc_power.power_of_equivalence(spread, 0.1, 6, cases) for cases in (fewest - 1, fewest)]
    assert reached[0] < 0.8 <= reached[1]
    with pytest.raises(ValueError, match="accuracy"):
        mrmc_power.assumed_spread(0.5, 0.03, 1.2)


def test_equivalence_is_shown_as_often_as_planned():
    random = np.random.default_rng(5)
    spread = mrmc_power.assumed_spread(0.5, 0.05, 0.0)
    shown = 0
    for _ in range(300):
        chances = np.clip(random.normal(0.5, 0.05, (8, 1)), 0, 1)
        right = (random.random((8, 60)) < chances).astype(float)
        drawn = Readings(("m",), tuple("abcdefgh"), tuple(map(str, range(60))), np.arange(60) < 30, right[None])
        found = of_estimate(mrmc.against(analysed(drawn, "mean"), "m"), 0.07)
        shown += isinstance(found, Equivalence) and found.equivalent
    assert shown / 300 == pytest.approx(mrmc_power.power_of_equivalence(spread, 0.07, 8, 60), abs=0.1)


def test_areas_are_pairs_won():
    random = np.random.default_rng(0)
    noise, signal = random.integers(1, 7, 23), random.integers(2, 7, 31)
    found = roc.area(noise, signal)
    assert isinstance(found, roc.Area)
    assert found.area.value == pytest.approx(mannwhitneyu(signal, noise).statistic / (23 * 31))
    drawn = [roc.area(random.choice(noise, 23), random.choice(signal, 31)) for _ in range(2000)]
    assert found.area.se == pytest.approx(np.std([each.area.value for each in drawn if isinstance(each, roc.Area)]), rel=0.08)
    assert found.area.value == pytest.approx(1 - roc.area(signal, noise).area.value)


@pytest.mark.shared_data
def test_the_difference_of_two_areas_of_one_reader(shared_data: Path):
    one = van_dyke(shared_data).of_readers("1")
    noise, signal = one.kinds()
    found = roc.difference((noise[0, 0], signal[0, 0]), (noise[1, 0], signal[1, 0]))
    wanted, _ = compared(analysed(one, covariance="delong"), "cases")
    assert isinstance(found, Estimate)
    assert (found.value, found.se) == pytest.approx((wanted.differences[0].estimate.value, wanted.differences[0].estimate.se))
    same = roc.difference((noise[0, 0], signal[0, 0]), (noise[0, 0], signal[0, 0]))
    assert isinstance(same, Estimate) and same.se == 0 and isinstance(same.test, NotComputable)


def test_curves():
    drawn = study(2, 1, 4, (30, 20))
    noise, signal = drawn.kinds()
    curves = [roc.curve(noise[0, reader], signal[0, reader]) for reader in range(4)]
    for reader, each in enumerate(curves):
        assert isinstance(each, roc.Curve)
        assert each.area == pytest.approx(analysed(drawn).values[0][reader])
        assert (each.false_alarms[0], each.hits[0], each.false_alarms[-1], each.hits[-1]) == (0, 0, 1, 1)
    average = roc.average_curve([each for each in curves if isinstance(each, roc.Curve)])
    assert isinstance(average, roc.Curve) and average.area == pytest.approx(analysed(drawn).mean("m0"))
    assert isinstance(roc.curve([], [1.0]), NotComputable) and isinstance(roc.average_curve([]), NotComputable)


def won(noise: float, signal: float) -> float:
    return (signal > noise) + 0.5 * (signal == noise)


def area(noise: np.ndarray, signal: np.ndarray) -> float:
    return float(np.mean([won(*pair) for pair in product(noise, signal)]))


def test_leaving_out_one_case_at_a_time():
    readings = study()
    found = figures(readings, "auc", "jackknife")
    assert isinstance(found, Figures)
    without = []
    for left_out in range(11):
        kept = readings.of_cases(np.arange(11) != left_out)
        noise, signal = kept.kinds()
        without.append([area(noise[m, r], signal[m, r]) for m in range(2) for r in range(3)])
    wanted = np.cov(np.transpose(without)) * 10 * 10 / 11
    assert found.covariance.reshape(6, 6) == pytest.approx(wanted)


def apart(readings: Readings, first: int, second: int) -> float:
    """Mean product of pairs won, over different readers, cases without and cases with the signal, one by one."""
    noise, signal = readings.kinds()
    products = []
    for r, other_r in product(range(len(readings.readers)), repeat=2):
        for m, other_m in product(range(noise.shape[2]), repeat=2):
            for n, other_n in product(range(signal.shape[2]), repeat=2):
                if r == other_r or m == other_m or n == other_n:
                    continue
                one = noise[first, r, m], signal[first, r, n]
                other = noise[second, other_r, other_m], signal[second, other_r, other_n]
                if np.isfinite(one).all() and np.isfinite(other).all():
                    products.append(won(*one) * won(*other))
    return float(np.mean(products))


@pytest.mark.parametrize("gaps", [0.0, 0.25])
def test_u_statistics_one_by_one(gaps: float):
    readings = study(3, gaps=gaps)
    noise, signal = readings.kinds()
    means = []
    for modality in range(2):
        pairs = [pair for reader in range(3) for pair in product(noise[modality, reader], signal[modality, reader])]
        means.append(float(np.mean([won(*pair) for pair in pairs if np.isfinite(pair).all()])))
    covariance = [[means[a] * means[b] - apart(readings, a, b) for b in range(2)] for a in range(2)]
    difference, alone = area_difference(readings, "m0", "m1"), mean_area(readings, "m0")
    wanted = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]
    for found, variance, value in ((difference, wanted, means[1] - means[0]), (alone, covariance[0][0], means[0])):
        if variance < 0:
            assert isinstance(found, NotComputable)
        else:
            assert isinstance(found, UStatistic)
            assert (found.variance, found.by_t.value) == pytest.approx((variance, value))
            assert found.by_t.df > 0


def test_accuracy_is_the_mean_of_right_answers():
    readings = study(5, 1, 4, (20, 20))
    right = readings.correct(threshold=0.5)
    analysis = analysed(right, "mean")
    assert analysis.values[0] == pytest.approx(right.scores[0].mean(axis=1))
    assert analysis.single[0].variance == pytest.approx(right.scores[0].var(axis=1, ddof=1).mean() / 40)
    assert analysed(right, "mean", "unbiased").components.variance == pytest.approx(analysis.components.variance)
    assert analysis.limits == (0, 1) and analysed(readings, "mean").limits == (-np.inf, np.inf)
    halfway = replace(readings, scores=np.zeros_like(readings.scores))
    assert (halfway.correct().scores == 0.5).all()
    found = of_estimate(mrmc.against(analysis, "m0"), 0.49)
    assert isinstance(found, Equivalence) and found.value == pytest.approx(right.scores.mean())


def test_intervals_hold_what_they_promise():
    """At chance, with readers who differ, some 5 % of tests are wrong; so few studies cannot tell better."""
    random = np.random.default_rng(0)
    wrong = np.zeros(4)
    for _ in range(200):
        signal = np.arange(60) < 30
        effects = random.normal(0, 0.4, (5, 1)) * signal
        scores = random.normal(0, 0.7, 60) + random.normal(0, 0.7, (5, 60)) + effects
        drawn = Readings(("m",), tuple("abcde"), tuple(map(str, range(60))), signal, scores[None])
        again = readers_and_cases(drawn, "m", draws=100)
        u = mean_area(drawn, "m")
        assert isinstance(u, UStatistic)
        estimates = mrmc.against(analysed(drawn), "m"), u.by_t, mrmc.against(analysed(drawn.correct(), "mean"), "m"), again
        wrong += [not low <= 0.5 <= high for low, high in map(bounds, estimates)]
    assert (wrong / 200 < 0.12).all() and (wrong / 200 > 0.01).all()


def test_readers_who_agree_by_luck_do_not_pass_for_certainty():
    """Two readers at chance: after the published formulas some 12 % of such studies find them beyond it."""
    random = np.random.default_rng(4)
    wrong = np.zeros(2)
    for _ in range(600):
        seen = random.normal(0, 0.2**0.5, 200) + random.normal(0, 0.8**0.5, (2, 200)) + random.normal(0, 0.125, (2, 1))
        drawn = Readings(("m",), ("a", "b"), tuple(map(str, range(200))), np.arange(200) < 100, (seen > 0)[None] * 1.0)
        analysis = analysed(drawn, "mean")
        parts, found = analysis.single[0], mrmc.against(analysis, "m")
        assert isinstance(found, Estimate) and isinstance(found.test, Significance)
        shared = max(parts.cov2, 0)
        published = parts.ms_reader + 2 * shared
        assert found.se**2 == pytest.approx(max(published, parts.variance + shared) / 2)
        wrong += [found.test.p < 0.05, abs(found.value - 0.5) > t.ppf(0.975, found.df) * sqrt(published / 2)]
    assert wrong[0] / 600 < 0.075 < 0.09 < wrong[1] / 600


@pytest.mark.parametrize("figure", ["auc", "mean"])
def test_pictures_of_one_patient_are_no_new_patients(figure):
    """A patient's picture shown twice says what it said once; degrees of freedom are those of the patients."""
    once = study(3, 2, 5, (8, 7))
    twice = replace(
        once, cases=tuple(f"{case}{again}" for again in "ab" for case in once.cases), signal=np.tile(once.signal, 2),
        scores=np.tile(once.scores, 2), patients=once.cases * 2,
    )  # fmt: skip
    analyses = [analysed(each, figure) for each in (once, twice)]
    assert analyses[1].patients == 15 and analyses[0].patients is None
    assert astuple(analyses[1].components) == pytest.approx(astuple(analyses[0].components))
    by_case, by_patient = (mrmc.against(each, "m1", holds_for="cases") for each in analyses)
    assert isinstance(by_case, Estimate) and isinstance(by_patient, Estimate)
    assert by_patient.se == pytest.approx(by_case.se) and (by_case.df, by_patient.df) == (np.inf, 14)
    with pytest.raises(ValueError, match="jackknife"):
        mrmc.analyse(twice, figure, "delong")


def test_patients_of_both_kinds_and_of_unequal_size_are_left_out_whole():
    """Against leaving them out one by one and computing the area anew."""
    readings = replace(study(5, 1, 3, (9, 8)), patients=tuple("aaabbcdde" + "abbcceef"))
    found = analysed(readings)
    names = np.array(readings.patients)
    without = np.array([
        [1 - mannwhitneyu(noise, signal).statistic / (len(noise) * len(signal))
         for noise, signal in zip(*(kind[0] for kind in readings.of_cases(names != patient).kinds()), strict=True)]
        for patient in "abcdef"
    ])  # fmt: skip
    wanted = 5 * np.cov(without.T, ddof=0)
    assert found.components.variance == pytest.approx(np.trace(wanted) / 3)
    assert found.components.cov2 == pytest.approx((wanted.sum() - np.trace(wanted)) / 6)
    alone = readings.of_cases(names == "b")
    told = mrmc.analyse(alone, "auc")
    assert isinstance(told, NotComputable) and "one patient" in told.because
    assert alone.patients == ("b",) * 4


def test_equal_scores_and_perfect_readers_have_a_value_and_no_false_certainty():
    readings = study(0, 2, 3, (6, 5))
    for score, value in ((np.ones(11), 0.5), (readings.signal * 1.0, 1.0)):
        scores = np.broadcast_to(score, readings.scores.shape)
        same = replace(readings, scores=scores)
        single = mrmc.against(analysed(same), "m0")
        u = mean_area(same, "m1")
        one = roc.area(scores[0, 0, ~same.signal], scores[0, 0, same.signal])
        assert isinstance(u, UStatistic) and isinstance(one, roc.Area)
        for found in (single, u.by_t, u.by_normal, one.area):
            assert isinstance(found, Estimate) and (found.value, found.se) == (value, 0)
            assert isinstance(of_estimate(found, 0.1), NotComputable)
            if value == 0.5:
                assert isinstance(found.interval, NotComputable) and isinstance(found.test, NotComputable)
                continue
            exact = proportion(5, 5)  # so many pairs of cases without using one twice
            assert isinstance(found.test, Significance) and isinstance(exact, Proportion)
            assert (found.interval, found.test.p) == (exact.interval, exact.p)
        for holds_for in ("readers and cases", "cases", "readers"):
            both = mrmc.compare(analysed(same), holds_for=holds_for)
            assert isinstance(both, mrmc.Comparison) and isinstance(both.test, NotComputable)
            assert both.differences[0].estimate.value == 0
        assert isinstance(readers_and_cases(same, "m0"), NotComputable)
        spread = mrmc_power.spread_of_difference(analysed(same))
        assert isinstance(spread, mrmc_power.Spread)
        assert isinstance(mrmc_power.power_to_differ(spread, 0.1, 5, 100), NotComputable)


def test_readers_who_are_always_right_are_better_than_chance():
    everyone = Readings(("m",), ("a", "b"), tuple("123456789"), np.arange(9) < 5, np.ones((1, 2, 9)))
    nobody = replace(everyone, scores=np.zeros((1, 2, 9)))
    right, wrong = (mrmc.against(analysed(each, "mean"), "m") for each in (everyone, nobody))
    assert isinstance(right, Estimate) and isinstance(wrong, Estimate)
    assert verdict(right, of_estimate(right, 0.1), 0.1).words == "better than chance"
    assert verdict(wrong, of_estimate(wrong, 0.1), 0.1).worse
    assert bounds(right) == pytest.approx((0.025 ** (1 / 9), 1)) and bounds(wrong) == pytest.approx((0, 1 - 0.025 ** (1 / 9)))
    graded = mrmc.against(analysed(replace(everyone, scores=np.full((1, 2, 9), 3.0)), "mean"), "m", null=2.5)
    assert isinstance(graded, Estimate) and isinstance(graded.test, NotComputable)


def test_equal_readers_leave_the_cases():
    """Without differences between readers the degrees of freedom are infinite, not a division by 0."""
    readings = study(4, 1, 1, (9, 8))
    alike = Readings(readings.modalities, tuple("abc"), readings.cases, readings.signal, np.repeat(readings.scores, 3, axis=1))
    found, one = mrmc.against(analysed(alike), "m0"), mrmc.against(analysed(readings), "m0", holds_for="cases")
    assert isinstance(found, Estimate) and isinstance(one, Estimate)
    assert found.df == np.inf and (found.se, bounds(found)) == (pytest.approx(one.se), pytest.approx(bounds(one)))


def test_groups_of_readers_and_of_cases_by_drawing():
    """The standard error that is estimated is that with which the difference varies."""
    random = np.random.default_rng(3)
    signal, half = np.arange(60) % 2 == 0, np.arange(60) < 28
    by_reader, by_case = [], []
    for _ in range(250):
        effects = random.normal(0.5, 0.4, (7, 1)) * signal
        scores = random.normal(0, 0.7, 60) + random.normal(0, 0.7, (7, 60)) + effects
        drawn = Readings(("m",), tuple("abcdefg"), tuple(map(str, range(60))), signal, scores[None])
        by_reader.append(reader_groups(drawn, "m", "abcd", "efg"))
        by_case.append(case_groups(drawn, "m", half, ~half))
    for found in (by_reader, by_case):
        estimates = [each for each in found if isinstance(each, Estimate)]
        assert len(estimates) == 250
        assert np.mean([each.se**2 for each in estimates]) == pytest.approx(np.var([each.value for each in estimates]), rel=0.3)
        assert 0.01 < np.mean([not low <= 0 <= high for low, high in map(bounds, estimates)]) < 0.1


def test_groups_that_cannot_be_compared():
    readings = study(0, 1, 4, (6, 6))
    signal = readings.signal
    for found in (
        reader_groups(readings, "m0", ["r0"], ["r1", "r2"]), case_groups(readings, "m0", signal, ~signal),
        case_groups(readings.of_readers("r0"), "m0", signal, ~signal, "mean"),
    ):  # fmt: skip
        assert isinstance(found, NotComputable) and found.because.endswith(".")
    assert isinstance(case_groups(readings, "m0", signal, ~signal, "mean"), Estimate)
    for mixed in (lambda: reader_groups(readings, "m0", ["r0"], ["r0"]), lambda: case_groups(readings, "m0", signal, signal)):
        with pytest.raises(ValueError, match="one group"):
            mixed()


def test_incomplete_readings():
    gaps = study(6, 2, 4, (12, 12), gaps=0.1)
    refused = mrmc.analyse(gaps)
    assert isinstance(refused, NotComputable) and str(gaps.missing) in refused.because
    whole = gaps.complete()
    assert whole.missing == 0 and 0 < len(whole.cases) < 24 and isinstance(mrmc.analyse(whole), mrmc.Analysis | NotComputable)
    assert isinstance(mean_area(gaps, "m0"), UStatistic)
    found = readers_and_cases(gaps, "m0")
    assert bounds(found)[0] < found.value < bounds(found)[1]


def test_a_reader_who_saw_one_kind_only_does_not_count_for_areas():
    readings = study(7, 1, 3, (10, 10))
    scores = readings.scores.copy()
    scores[0, 2, readings.signal] = np.nan
    found, without = mean_area(replace(readings, scores=scores), "m0"), mean_area(readings.of_readers("r0", "r1"), "m0")
    assert isinstance(found, UStatistic) and isinstance(without, UStatistic)
    assert (found.variance, found.by_t.df) == pytest.approx((without.variance, without.by_t.df))
    assert isinstance(mrmc.analyse(replace(readings, scores=scores)), NotComputable)
    scores[0, :, readings.signal] = np.nan
    assert isinstance(mean_area(replace(readings, scores=scores), "m0"), NotComputable)
    assert isinstance(readers_and_cases(replace(readings, scores=scores), "m0"), NotComputable)


def test_whatever_was_read_there_is_a_number_or_a_reason():
    """Tiny tables with ties, gaps, single readers and empty kinds."""
    random = np.random.default_rng(9)
    answered = 0
    for seed in range(120):
        modalities, readers, noises, signals = random.integers((1, 1, 0, 0), (4, 5, 7, 7))
        readings = study(seed, modalities, readers, (noises, signals), float(random.choice([0.0, 0.1, 0.6])))
        found: list[object] = [mean_area(readings, "m0"), readers_and_cases(readings, "m0", draws=20)]
        tables = readings, readings.complete()
        for figure, covariance, table in product(("auc", "mean"), ("jackknife", "delong", "unbiased"), tables):
            analysis = mrmc.analyse(table, figure, covariance)
            if isinstance(analysis, mrmc.Analysis):
                found += [mrmc.against(analysis, "m0", holds_for=each) for each in ("readers and cases", "cases", "readers")]
                both = mrmc.compare(analysis)
                found += [each.estimate for each in both.differences] if isinstance(both, mrmc.Comparison) else [both]
        for each in found:
            each = each.by_t if isinstance(each, UStatistic) else each
            assert isinstance(each, Estimate | NotComputable)
            if isinstance(each, Estimate) and isinstance(each.interval, Interval):
                answered += 1
                assert each.interval.low - 1e-9 <= each.value <= each.interval.high + 1e-9 and each.df > 0
    assert answered > 300


def test_too_little_to_say_says_why():
    one_kind = study(0, 1, 3, (8, 0))
    single_reader, one_of_a_kind = study(0, 2, 1, (6, 6)), study(0, 1, 3, (6, 1))
    nothing = Readings.of([], {})
    for found in (
        mrmc.analyse(one_kind), mrmc.analyse(one_of_a_kind), mrmc.analyse(nothing), mean_area(one_kind, "m0"),
        mean_area(one_of_a_kind, "m0"), mean_area(single_reader, "m0"), mrmc.compare(analysed(single_reader)),
        mrmc.against(analysed(single_reader), "m0"), mrmc.compare(analysed(study(0, 1))), readers_and_cases(single_reader, "m0"),
        roc.area([], [1.0]), roc.difference(([1.0], [2.0]), ([1.0], [3.0])),
        mrmc_power.spread_of_difference(analysed(single_reader)),
        mrmc_power.spread_of_modality(analysed(single_reader), "m0"), mrmc.analyse(one_kind.of_cases(np.arange(8) < 1), "mean"),
        mrmc_power.cases_to_differ(mrmc_power.Spread(0.01, 0.001, 0.0, 50, 2), 0.01, 3),
    ):  # fmt: skip
        assert isinstance(found, NotComputable) and found.because.endswith(".") and "nan" not in found.because
    assert isinstance(mrmc.against(analysed(single_reader), "m0", holds_for="cases"), Estimate)
    assert isinstance(analysed(one_kind, "mean").single[0].variance, float)
    lone = roc.area([1.0], [2.0, 3.0])
    assert isinstance(lone, roc.Area) and lone.area.value == 1 and isinstance(lone.area.interval, NotComputable)
    pair = roc.area([1.0, 1.0], [2.0, 3.0])
    assert isinstance(pair, roc.Area) and isinstance(pair.area.test, Significance) and pair.area.test.p == pytest.approx(0.5)


def test_a_table_with_two_scores_in_one_place_is_a_mistake():
    rows = [("a", "1", "m", 1.0), ("a", "1", "m", 2.0)]
    with pytest.raises(ValueError, match="twice"):
        Readings.of(rows, {"1": True})
    with pytest.raises(ValueError, match="scores"):
        Readings(("m",), ("a",), ("1",), np.array([True]), np.zeros((1, 1, 2)))


def test_chosen_readers_and_modalities_keep_their_scores():
    readings = study(8)
    assert readings.of_readers("r2", "r0").scores[1, 0] == pytest.approx(readings.scores[1, 2])
    assert readings.of_modalities("m1").scores[0] == pytest.approx(readings.scores[1])
