"""Agreement, ranks and trends, against published values, other programs' figures, enumeration and closed forms."""

from __future__ import annotations

from itertools import combinations
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from ctmri_core.statistics.agreement import Agreement, cohen, counts, crosstab, fleiss, gwet_ac1
from ctmri_core.statistics.answers import NotComputable, Significance
from ctmri_core.statistics.krippendorff import Alpha, alpha
from ctmri_core.statistics.ranks import Concordance, concordance
from ctmri_core.statistics.trends import Trend, rank_sum, trend
from tests.core.published_readings import diagnoses


def agreed(found: Agreement | NotComputable) -> Agreement:
    assert isinstance(found, Agreement)
    return found


def as_counts(table: list[list[int]]) -> np.ndarray:
    """Of two readers' table, for coefficients of any number of readers."""
    rows = [np.eye(2, dtype=int)[i] + np.eye(2, dtype=int)[j] for i in range(2) for j in range(2) for _ in range(table[i][j])]
    return np.array(rows)


def test_kappa_of_two_readers():
    found = agreed(cohen([[20, 5], [10, 15]]))
    assert (found.observed, found.expected, found.coefficient.value) == pytest.approx((0.7, 0.5, 0.4))
    assert found.coefficient.se == pytest.approx(0.126996, abs=5e-7)
    assert isinstance(found.coefficient.test, Significance)
    assert found.coefficient.value / found.coefficient.test.statistic == pytest.approx(0.138564, abs=5e-7)
    assert agreed(gwet_ac1(as_counts([[20, 5], [10, 15]]))).coefficient.value == pytest.approx(0.405941, abs=5e-7)
    assert agreed(cohen([[45, 15], [25, 15]])).coefficient.value == pytest.approx(0.130435, abs=5e-7)
    assert agreed(cohen([[25, 35], [5, 35]])).coefficient.value == pytest.approx(0.259259, abs=5e-7)


def test_kappa_is_low_where_nearly_all_say_the_same_and_ac1_is_not():
    assert agreed(cohen([[118, 5], [2, 0]])).coefficient.value == pytest.approx(-0.023392, abs=5e-7)
    assert agreed(gwet_ac1(as_counts([[118, 5], [2, 0]]))).coefficient.value == pytest.approx(0.940776, abs=5e-7)


def test_weighted_kappa():
    random = np.random.default_rng(1)
    first = random.integers(0, 4, 200)
    second = np.where(random.random(200) < 0.5, first, random.integers(0, 4, 200))
    table = crosstab(list(first), list(second), range(4))
    assert table.sum() == 200 and table[2, 3] == ((first == 2) & (second == 3)).sum()
    for weights in ("none", "linear", "quadratic"):
        assert agreed(cohen(table.T, weights=weights)).coefficient.se == pytest.approx(
            agreed(cohen(table, weights=weights)).coefficient.se
        )
    near, far = np.diag([20, 20, 20]), np.diag([20, 20, 20])
    near[0, 1] = far[0, 2] = 10
    assert agreed(cohen(near, weights="linear")).coefficient.value > agreed(cohen(far, weights="linear")).coefficient.value
    two = [[20, 5], [10, 15]]
    assert agreed(cohen(two, weights="quadratic")).coefficient == agreed(cohen(two)).coefficient  # nothing is half right of two
    # the intraclass correlation of equal margins: 1 - sum d^2 / (n x 2 var)
    known = [[10, 5, 0], [5, 20, 5], [0, 5, 10]]
    assert agreed(cohen(known, weights="quadratic")).coefficient.value == pytest.approx(1 - 20 / (60 * 2 * 0.5))


def test_standard_error_of_weighted_kappa_by_drawing():
    random = np.random.default_rng(4)
    table = np.array([[40, 10, 3], [8, 30, 12], [1, 9, 37]])
    drawn = [
        agreed(cohen(each.reshape(3, 3), weights="linear")).coefficient.value
        for each in random.multinomial(150, table.ravel() / 150, 2000)
    ]
    assert agreed(cohen(table, weights="linear")).coefficient.se == pytest.approx(np.std(drawn), rel=0.06)


def test_kappa_of_many_readers():
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    found = agreed(fleiss(table))
    assert (found.observed, found.expected, found.coefficient.value) == pytest.approx((0.378022, 0.212755, 0.209931), abs=1e-6)


@pytest.mark.shared_data
def test_published_diagnoses(shared_data: Path):
    rows, classes = diagnoses(shared_data)
    table = counts(rows, classes)
    found = agreed(fleiss(table))
    assert found.coefficient.value == pytest.approx(0.430245, abs=1e-6)
    assert isinstance(found.coefficient.test, Significance)
    assert found.coefficient.test.statistic == pytest.approx(17.651831, abs=1e-6)
    assert found.coefficient.se == pytest.approx(0.0542, abs=5e-6)  # irrCAC
    ac1 = agreed(gwet_ac1(table)).coefficient
    assert (ac1.value, ac1.se) == (pytest.approx(0.447885, abs=1e-6), pytest.approx(0.05566, abs=5e-6))


def gappy() -> np.ndarray:
    """Made-up answers (cases, readers), a quarter missing."""
    random = np.random.default_rng(1)
    answers, base = random.integers(0, 4, (40, 5)).astype(float), random.integers(0, 4, 40)
    for case in range(40):
        for reader in range(5):
            if random.random() < 0.6:
                answers[case, reader] = base[case]
            if random.random() < 0.25:
                answers[case, reader] = np.nan
    return answers


def test_missing_answers():
    answers = gappy()
    table = counts([[None if np.isnan(each) else int(each) for each in row] for row in answers], range(4))
    assert isinstance(fleiss(table), NotComputable)
    found = agreed(gwet_ac1(table)).coefficient
    assert (found.value, found.se) == pytest.approx((0.4514006337, 0.0700714898), abs=1e-9)  # irrCAC 0.4.4
    for level, wanted in (("nominal", 0.42982968938773924), ("ordinal", 0.4942083433359601), ("interval", 0.5000550018700636)):
        value = alpha(answers.T, level)
        assert isinstance(value, Alpha) and value.value == pytest.approx(wanted)  # krippendorff 0.9.0
        assert value.interval.low < value.value < value.interval.high


def test_krippendorffs_own_example():
    star = np.nan
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, star, star, star], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, star, 3],
        [star, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, star], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, star],
    ]  # fmt: skip
    for level, wanted in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)):
        found = alpha(ratings, level)
        assert isinstance(found, Alpha) and found.value == pytest.approx(wanted, abs=5e-4) and found.cases == 11


def test_agreement_without_variety_or_without_answers_says_why():
    for found in (
        cohen([[30, 0], [0, 0]]), fleiss([[3, 0]] * 9), alpha(np.ones((3, 5))), cohen(np.zeros((2, 2))), fleiss(np.zeros((0, 2))),
        fleiss([[1, 0]] * 4), gwet_ac1([[1, 0], [0, 1]]), gwet_ac1([[2], [2]]), gwet_ac1(np.zeros((0, 2))),
        alpha([[1, np.nan], [np.nan, 2]]), alpha(np.full((2, 3), np.nan)), alpha(np.zeros((2, 0))),
    ):  # fmt: skip
        assert isinstance(found, NotComputable) and found.because.endswith(".")
    perfect = agreed(cohen([[10, 0], [0, 10]]))
    assert perfect.coefficient.value == 1 and isinstance(perfect.coefficient.interval, NotComputable)
    assert isinstance(perfect.coefficient.test, Significance) and perfect.coefficient.test.p < 1e-4
    all_one = agreed(gwet_ac1([[3, 0]] * 9))
    assert all_one.coefficient.value == 1 and isinstance(all_one.coefficient.interval, NotComputable)
    assert crosstab(["a", None, "b"], ["a", "a", None], ["a", "b"]).tolist() == [[1, 0], [0, 0]]


def test_concordance():
    random = np.random.default_rng(0)
    table = random.integers(1, 6, (12, 4))
    found = concordance(table)
    wanted = friedmanchisquare(*table.T)
    assert isinstance(found, Concordance)
    assert (found.test.statistic, found.test.p) == pytest.approx((wanted.statistic, wanted.pvalue))
    one_order = concordance(np.tile([3.0, 1.0, 2.0], (5, 1)))
    assert isinstance(one_order, Concordance) and one_order.w == pytest.approx(1) and one_order.mean_ranks == (3, 1, 2)
    opposite = concordance([[1.0, 2.0], [2.0, 1.0], [np.nan, 1.0]])
    assert isinstance(opposite, Concordance) and opposite.w == 0 and opposite.rankings == 2
    for empty in (np.ones((4, 3)), np.zeros((0, 3)), [[1.0, 2.0]], np.ones((4, 1))):
        assert isinstance(concordance(empty), NotComputable)


def test_a_trend_of_two_halves_is_their_odds_ratio():
    right = [1] * 30 + [0] * 20 + [1] * 15 + [0] * 35
    found = trend(right, [0] * 50 + [1] * 50)
    assert isinstance(found, Trend)
    assert found.slope.value == pytest.approx(log(15 * 20 / (30 * 35)))
    assert found.slope.se == pytest.approx(sqrt(1 / 30 + 1 / 20 + 1 / 15 + 1 / 35))


def test_each_reader_has_their_own_level():
    """Slopes of another program (statsmodels 0.15, Logit with a column for each reader)."""
    random = np.random.default_rng(3)
    order, reader = np.tile(np.arange(60), 3), np.repeat(list("abc"), 60)
    right = (random.random(180) < np.array([0.2, 0.5, 0.8]).repeat(60)).astype(float)
    both, moved = trend(right, order, reader), trend(right, 3 * order + 1000, reader)
    assert isinstance(both, Trend) and isinstance(moved, Trend) and both.readers == 3
    assert isinstance(both.slope.test, Significance)
    assert (both.slope.value, both.slope.se) == pytest.approx((0.0086642126, 0.0102233831), abs=1e-9)
    assert both.slope.test.p == pytest.approx(0.3967221822, abs=1e-9)
    assert (moved.slope.value, moved.slope.se) == pytest.approx((both.slope.value / 3, both.slope.se / 3))
    sure = trend(np.append(right, np.ones(60)), np.append(order, np.arange(60)), np.append(reader, ["d"] * 60))
    assert isinstance(sure, Trend) and sure.slope.value == pytest.approx(both.slope.value) and sure.readers == 3


def test_trends_that_have_no_estimate():
    for found in (
        trend([1, 1, 1], [1, 2, 3]), trend([], []), trend([0, 0, 1, 1], [1, 2, 3, 4]), trend([0, 1], [5, 5]),
        trend([0, 1], [1, 1], ["a", "b"]),
    ):  # fmt: skip
        assert isinstance(found, NotComputable) and found.because.endswith(".")
    with pytest.raises(ValueError, match="one trial"):
        trend([1, 0], [1, 2, 3])


def test_times_of_two_kinds_by_trying_every_split():
    first, second = [3.1, 5.2, 8.8, 9.1], [1.2, 2.2, 4.4, 2.9, 3.0]
    together = np.array(first + second)
    won = [
        np.mean([a > b for a in together[list(chosen)] for b in np.delete(together, list(chosen))])
        for chosen in combinations(range(9), 4)
    ]
    found = rank_sum(first, second)
    assert isinstance(found, Significance) and found.statistic == pytest.approx(19 / 20)
    assert found.p == pytest.approx(np.mean(np.abs(np.array(won) - 0.5) >= 0.45 - 1e-9))
    same = rank_sum([2.0, 2.0], [2.0])
    assert isinstance(same, Significance) and same.p == 1
    assert isinstance(rank_sum([], [1.0]), NotComputable)
