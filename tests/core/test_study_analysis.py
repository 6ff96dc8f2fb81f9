"""Results of studies whose readers follow known rules, against numbers counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom, binomtest

from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.statistics import intervals
from ctmri_core.studies.analysis.analyse import analyse
from ctmri_core.studies.analysis.found import ALL
from ctmri_core.studies.analysis.results import read_results, write_results
from ctmri_core.studies.protocol import Analysis, Question
from ctmri_core.studies.trials import Mark, ReaderFacts
from ctmri_core.studies.truth import REAL, Reference
from tests.core.simulated_study import (
    always_real,
    gathered,
    is_real,
    leaving_after,
    number_of,
    perfect,
    pictures,
    protocol,
    right_on,
    says,
)


def guessing(seed):
    chance = np.random.default_rng(seed)

    def rule(trial, shown):
        return says("real" if chance.random() < 0.5 else "synthetic", int(chance.integers(1, 4)))

    return rule


def scores_of(results, reader, arm=ALL):
    part = results.telling or results.diagnosis
    return next(one for one in part.readers if (one.reader, one.arm) == (reader, arm))


def test_a_reader_who_always_says_real_is_at_chance_and_shows_it_in_his_criterion():
    results = analyse(gathered(protocol(), pictures(10), {"R1": always_real, "R2": right_on(range(10))}))
    one = scores_of(results, "R1")
    assert (one.counts.right, one.counts.trials, one.counts.hits, one.counts.false_alarms) == (10, 20, 0, 0)
    assert one.accuracy.value == 0.5 and one.accuracy.p == 1.0
    assert one.accuracy.low == pytest.approx(beta.ppf(0.025, 10, 11))
    assert one.accuracy.high == pytest.approx(beta.ppf(0.975, 11, 10))
    assert one.area.value == 0.5 and one.area.low is None and "variance" in one.area.because
    assert one.d_prime.value == pytest.approx(0.0) and one.criterion > 1.5
    assert one.verdict == "inconclusive"
    called = {(c.arm, c.reader): (c.called_real, c.trials) for c in results.telling.called}
    assert called["real", "R1"] == (10, 10) and called["A", "R1"] == (10, 10)
    assert called["real", "R2"] == (10, 10) and called["A", "R2"] == (0, 10) and called["A", ""] == (10, 20)


def test_perfect_readers_are_better_than_chance_by_the_exact_interval():
    results = analyse(gathered(protocol(), pictures(12), {"R1": perfect, "R2": perfect}))
    pooled = results.telling.pooled[0]
    assert pooled.verdict == "better than chance" and pooled.figure == "accuracy" and pooled.cases == 24
    assert pooled.estimate.value == 1.0 and pooled.estimate.high == 1.0
    assert pooled.estimate.low == pytest.approx(0.025 ** (1 / 12)) and pooled.patients == 12
    assert scores_of(results, "R1").area.value == 1.0
    assert results.verdict.startswith("Readers together: better than chance. The share of right answers was 1.000")
    fleiss = next(one for one in results.agreement if one.measure == "Fleiss' kappa")
    assert fleiss.value.value == 1.0


def test_readers_together_as_computed_by_hand():
    """Two readers right on 8 and on 6 of 10 patients, both kinds: 16/20 and 12/20; variance components by hand, over patients,
    whose pictures are no independent trials. So few readers are not taken to differ less than patients make them."""
    results = analyse(gathered(protocol(), pictures(10), {"R1": right_on(range(8)), "R2": right_on(range(6))}))
    (first, cov2), (_, second) = np.cov([1] * 8 + [0] * 2, [1] * 6 + [0] * 4) / 10
    ms_reader = np.var([0.8, 0.6], ddof=1)
    published = ms_reader + 2 * cov2
    total = max(published, (first + second) / 2 + cov2)
    pooled = results.telling.pooled[0].estimate
    assert pooled.value == pytest.approx(0.7) and pooled.se == pytest.approx((total / 2) ** 0.5)
    assert pooled.df == pytest.approx(min(published**2 / ms_reader**2, 9))
    naive = results.telling.naive
    assert (naive.right, naive.trials) == (28, 40) and naive.estimate.p == pytest.approx(binomtest(28, 40).pvalue)
    assert naive.design_effect > 1
    assert results.telling.pooled[1].figure == "auc"
    hardest = results.cases[0]
    assert (hardest.readers, hardest.right) == (2, 0) and results.cases[-1].right == 2
    assert [case.right for case in results.cases] == sorted(case.right for case in results.cases)


def test_many_guesses_are_equivalent_to_chance_and_few_are_inconclusive():
    readers = {f"R{seed}": guessing(seed) for seed in range(6)}
    asked = Analysis(margin=0.15)
    large = analyse(gathered(protocol(analysis=asked), pictures(80), readers))
    few = analyse(gathered(protocol(analysis=asked), pictures(4), {"R1": guessing(1), "R2": guessing(2)}))
    assert large.telling.pooled[0].verdict == "equivalent to chance within ±0.15"
    assert few.telling.pooled[0].verdict == "inconclusive"
    margin = large.telling.pooled[0].margin
    assert margin.equivalent and 0.35 < margin.low < margin.high < 0.65
    assert "indistinguishable" not in large.verdict + few.verdict


def test_readers_who_take_each_for_the_other_are_not_equivalent():
    results = analyse(gathered(protocol(), pictures(20), {f"R{n}": right_on(range(4)) for n in range(3)}))
    pooled = results.telling.pooled[0]
    assert pooled.worse and pooled.verdict == "inconclusive" and "take it for the opposite" in results.verdict


def test_one_reader_alone_is_exact_and_holds_for_other_cases_only():
    results = analyse(gathered(protocol(), pictures(20), {"R1": right_on(range(16))}))
    one, pooled = scores_of(results, "R1"), results.telling.pooled[0]
    assert one.accuracy.p == pytest.approx(binomtest(32, 40).pvalue) and one.verdict == "better than chance"
    exact = max(binom.sf(31, 40, 0.4), binom.cdf(32, 40, 0.6))
    assert one.margin.p == pytest.approx(exact) and not one.margin.equivalent
    assert pooled.holds_for == "cases" and pooled.estimate.value == 0.8
    assert not [one for one in results.agreement if not one.reader]


def test_a_reader_who_left_is_told_and_stays_out_of_the_pool():
    readers = {"R1": right_on(range(8)), "R2": right_on(range(6)), "R3": leaving_after(5, perfect)}
    results = analyse(gathered(protocol(), pictures(10), readers))
    assert results.pooled_readers == ("R1", "R2")
    row = next(one for one in results.readers if one.reader == "R3")
    assert not row.finished and (row.answered, row.trials) == (5, 20)
    assert results.telling.pooled[0].cases == 20 and scores_of(results, "R3").counts.trials == 5
    assert results.telling.naive.trials == 45 and results.telling.incomplete.value is not None
    assert results.flow.answers == 45 and results.flow.expected == 60


def test_where_nobody_finished_all_readers_count_on_what_all_have_read():
    results = analyse(gathered(protocol(), pictures(10), {f"R{n}": leaving_after(15, right_on(range(7))) for n in range(3)}))
    assert results.pooled_readers == ("R0", "R1", "R2") and 0 < results.telling.pooled[0].cases < 15


def test_a_study_without_answers_says_so():
    results = analyse(gathered(protocol(), pictures(6), {"R1": leaving_after(0, perfect)}))
    assert results.telling is None and results.verdict == "Nothing was answered, so nothing can be said."
    assert results.cases == () and results.course is None and results.readers[0].median_s is None


def test_with_one_kind_of_picture_alone_there_is_no_curve_but_a_count():
    results = analyse(gathered(protocol(), pictures(8, arms=("A",)), {"R1": perfect, "R2": always_real}))
    one = scores_of(results, "R2")
    assert one.counts.trials == 8
    assert "of one there is none" in one.accuracy.because and "of one there is none" in one.d_prime.because
    assert one.area.value is None and results.telling.curves == ()
    assert results.course.real_against_synthetic["R1"].because


def test_agreement_with_oneself_counts_the_repeats_and_they_count_nowhere_else():
    results = analyse(gathered(protocol(), pictures(20), {"R1": right_on(range(15)), "R2": guessing(3)}, repeats=0.25))
    kappa = {one.reader: one for one in results.agreement if one.reader}
    assert kappa["R1"].cases == 10 and kappa["R1"].observed == 1.0
    assert scores_of(results, "R1").counts.trials == 40 and results.readers[0].repeats == 10
    assert results.readers[0].kappa == kappa["R1"].value
    none = analyse(gathered(protocol(), pictures(20), {"R1": right_on(range(15))}))
    assert none.readers[0].kappa.value is None and "twice" in none.readers[0].kappa.because


def test_models_are_told_apart_on_the_same_cases():
    """B is always recognised, A never; what is said of real pictures is the same."""

    def rule(trial, shown):
        return says("synthetic" if shown[0].arm == "B" else "real")

    items = pictures(12, arms=(REAL, "A", "B"))
    results = analyse(gathered(protocol(), items, {"R1": rule, "R2": rule, "R3": leaving_after(4, rule)}))
    (difference,) = results.telling.differences
    assert (difference.first, difference.second, difference.how) == ("A", "B", "same cases")
    assert difference.estimate.value == 1.0
    first, second = results.telling.by_model[:2]
    assert [(one.modality, one.figure, one.cases) for one in (first, second)] == [("A", "accuracy", 24), ("B", "accuracy", 24)]
    assert (first.estimate.value, second.estimate.value) == (0.5, 1.0)
    assert scores_of(results, "R1", "B").counts.right == 24 and scores_of(results, "R1", "A").counts.right == 12


def test_models_of_different_cases_are_compared_as_groups():
    items = [item for item in pictures(24, arms=(REAL, "A", "B")) if is_real(item) or (number_of(item) % 2 == (item.arm == "B"))]
    readers = {f"R{n}": right_on(range(4 + n, 24)) for n in range(3)}
    (difference,) = analyse(gathered(protocol(), items, readers)).telling.differences
    assert difference.how == "other cases" and difference.estimate.df > 1
    assert difference.estimate.value == pytest.approx(np.mean([len([c for c in range(4 + n, 24) if c % 2]) - len(
        [c for c in range(4 + n, 24) if c % 2 == 0]) for n in range(3)]) / 12)  # fmt: skip


def test_two_alternatives_count_pairs_and_sides():
    def rule(trial, shown):
        made = next(place for place, item in enumerate(shown) if not is_real(item))
        right = number_of(shown[0]) < 15
        return says(str(made if right else 1 - made), 4)

    results = analyse(gathered(protocol("two_alternatives"), pictures(20), {"R1": rule, "R2": rule}))
    one = scores_of(results, "R1")
    assert (one.counts.right, one.counts.trials) == (15, 20) and one.accuracy.p == pytest.approx(0.041389, abs=1e-6)
    assert one.area.value == 0.75 and one.left is not None and one.criterion is None
    assert results.telling.pooled[0].estimate.value == 0.75 and results.telling.pooled[0].cases == 20
    assert len(results.telling.pooled) == 1 and results.telling.called == () and results.telling.incomplete is None
    assert results.course.real_against_synthetic == {} and results.cases[0].beside


def test_rankings_by_hand():
    """All put A before B before the real one, but for one case where A is last."""

    def rule(trial, shown):
        order = "AB" if number_of(shown[0]) else "B"
        token = {item.arm: item.token for item in shown}
        return {"choice": ",".join(token[arm] for arm in [*order, REAL, *(["A"] if order == "B" else [])])}

    results = analyse(gathered(protocol("rank"), pictures(6, arms=(REAL, "A", "B")), {"R1": rule, "R2": rule}))
    mean = {one.arm: one.mean.value for one in results.ranking.arms}
    assert mean == pytest.approx({"A": (5 * 1 + 3) / 6, "B": (5 * 2 + 1) / 6, REAL: (5 * 3 + 2) / 6})
    assert results.ranking.among_readers.value == 1.0 and results.ranking.cases == 6
    sums = np.array([8, 11, 17])
    w = 12 * ((sums - 12) ** 2).sum() / (36 * 24)
    assert results.ranking.w == pytest.approx(w) and results.ranking.friedman.value == pytest.approx(6 * 2 * w)
    best = next(one for one in results.ranking.arms if one.arm == "A")
    last = next(one.mean for one in results.ranking.arms if one.arm == REAL)
    assert last.low < last.value and last.high == 3.0  # no interval leaves the places there are
    assert (best.first, best.rankings, best.by_place) == (10, 12, (10, 0, 2))
    assert "Best on average: A" in results.verdict and results.cases == () and results.telling is None


def test_grades_are_compared_with_the_margin():
    """The model's grades are lower by 0.25 with readers and cases differing a little; one half is allowed."""

    def grader(poor):
        def rule(trial, shown):
            low = not is_real(shown[0]) and number_of(shown[0]) in poor
            return {"questions": {"anatomy": 3 if low else 4}}

        return rule

    readers = {"R1": grader(range(12)), "R2": grader(range(1, 12)), "R3": grader(range(2, 11)), "R4": grader(range(2, 10))}

    asked = Analysis(margin=0.5, acceptable=3.5)
    results = analyse(gathered(protocol("grading", analysis=asked), pictures(40), readers))
    (scale,) = results.scales
    (difference,) = scale.differences
    assert difference.estimate.value == pytest.approx(-0.25) and (difference.first, difference.second) == (REAL, "A")
    assert difference.margin.not_inferior and difference.margin.low == pytest.approx(difference.estimate.low)
    arms = {arm.arm: arm for arm in scale.arms}
    assert arms["A"].mean.value == pytest.approx(3.75) and arms["A"].acceptable.value == pytest.approx(0.75)
    assert arms[REAL].counts == {"1": 0, "2": 0, "3": 0, "4": 160}
    assert scale.verdict == "A: not inferior (margin 0.5)" and "not inferior within a margin of 0.5" in results.verdict
    strict = Analysis(margin=0.1)
    worse = analyse(gathered(protocol("grading", analysis=strict), pictures(40), readers))
    assert worse.scales[0].verdict == "A: inconclusive (margin 0.1)"
    assert any("ordinal" in one.measure for one in results.agreement)


def test_a_finding_is_told_with_its_place():
    """Readers find lesions on real pictures always, on synthetic ones of every fourth case not; one mark off, one false."""
    place = (4.0, 3.0, 3.0)

    def reference(case):
        return Reference(present=case % 2 == 0, places=(place,) if case % 2 == 0 else (), radius=2.0)

    def reader(missed):
        def rule(trial, shown):
            item, case = shown[0], number_of(shown[0])
            found = item.reference.present and not (not is_real(item) and case % missed == 0)
            off = 3.0 if case == 2 else 1.0
            marks = (Mark(mm=(4.0, 3.0, 3.0 + off)),) if found else ()
            return says("present" if found else "absent", 3, marks=marks)

        return rule

    items = pictures(24, reference=reference)
    results = analyse(gathered(protocol("diagnosis"), items, {"R1": reader(4), "R2": reader(6)}))
    one = scores_of(results, "R1", "A")
    assert (one.counts.signals, one.counts.hits, one.counts.false_alarms) == (12, 6, 0) and one.area.value == 0.75
    assert scores_of(results, "R1", REAL).area.value == 1.0 and one.verdict == ""
    areas = {pooled.modality: pooled.estimate.value for pooled in results.diagnosis.areas}
    assert areas == pytest.approx({REAL: 1.0, "A": (0.75 + 1 - 4 / 24) / 2})
    (difference,) = results.diagnosis.differences
    assert difference.estimate.value == pytest.approx(areas["A"] - 1.0) and difference.how == "same cases"
    assert not difference.margin.not_inferior and "inconclusive" in results.verdict
    marked = {(m.reader, m.arm): m for m in results.diagnosis.marked}
    assert (marked["R1", REAL].present, marked["R1", REAL].on_it, marked["R1", REAL].false_marks) == (12, 11, 1)
    assert (marked["R1", "A"].on_it, marked["R1", "A"].pictures) == (5, 24)


def test_places_on_synthetic_pictures_come_back_with_their_file():
    def rule(trial, shown):
        marks = (Mark(mm=(4.2, 1.0, 2.0), label="edge"), Mark(mm=(99.0, 0.0, 0.0))) if number_of(shown[0]) == 1 else ()
        tags = ("blurred",) if number_of(shown[0]) in (1, 2) else ()
        return {**perfect(trial, shown), "marks": marks, "reasons": tags}

    asked = protocol(reasons=("blurred", "noise"), marks=True)
    results = analyse(gathered(asked, pictures(4, k=lambda case: 7, origin=lambda case: (10.0, 20.0, 30.0)), {"R1": rule}))
    assert [(one.source, one.k, one.slice_shown, one.mm, one.reasons) for one in results.flagged] == [
        ("A/t001.nii", 7, 2, (4.2, 1.0, 2.0), ("blurred",)),
        ("A/t001.nii", 7, 5, (99.0, 0.0, 0.0), ("blurred",)),
        ("A/t002.nii", 7, None, None, ("blurred",)),
    ]
    assert all(one.recognised for one in results.flagged)
    assert [one.lps for one in results.flagged] == [(12.0, 21.0, 34.2), (10.0, 20.0, 129.0), None]
    counts = {one.tag: (one.on_real, one.on_synthetic, one.when_right, one.when_wrong) for one in results.reasons}
    assert counts == {"blurred": (2, 2, 4, 0), "noise": (0, 0, 0, 0)}


def test_groups_of_cases_and_readers_with_holm():
    facts = [ReaderFacts(reader=f"R{n}", years=n * 3, specialty="Neuro" if n < 2 else "General") for n in range(4)]
    readers = {f"R{n}": right_on(range(20 + n, 40)) for n in range(4)}
    items = pictures(40, region=lambda case: ("head", "neck", "chest")[case % 3], centre=lambda case: "one")
    results = analyse(gathered(protocol(), items, readers, facts=facts))
    by = {one.of: one for one in results.subgroups}
    assert set(by) == {"region", "experience", "specialty"}
    assert [group.name for group in by["region"].groups] == ["chest", "head", "neck"] and len(by["region"].differences) == 3
    raw = sorted(one.estimate.p for one in by["region"].differences)
    assert min(one.p_holm for one in by["region"].differences) == pytest.approx(min(1.0, 3 * raw[0]))
    names = [(group.name, group.readers) for group in by["experience"].groups]
    assert names == [("5 years or more", 2), ("fewer than 5 years", 2)]
    assert by["experience"].groups[0].estimate.value == pytest.approx(np.mean([18, 17]) / 40)


def test_time_is_less_what_another_window_had_and_learning_shows():
    def rule(trial, shown):
        right = trial.number > 10
        made = not is_real(shown[0])
        more = {"response_ms": (9000.0 if made else 5000.0) + trial.number, "focus_lost_ms": 1000.0}
        return says("synthetic" if made == right else "real", 2, **more)

    results = analyse(gathered(protocol(), pictures(20), {"R1": rule, "R2": rule, "R3": guessing(4)}))
    times = {(one.reader, one.of): one.quantiles[2] for one in results.course.times}
    assert 4.0 <= times["R1", "real"] <= 4.05 and 8.0 <= times["R1", "synthetic"] <= 8.05
    assert results.course.real_against_synthetic["R1"].p < 1e-4
    assert results.course.slope.value > 0 and results.course.slope.p < 0.05 < results.course.odds_of_ten.low
    assert [(part.first, part.last) for part in results.course.parts] == [(n * 5 + 1, n * 5 + 5) for n in range(8)]
    assert results.readers[0].focus_lost_s == pytest.approx(40.0)


def test_custom_questions_by_arm():
    questions = (
        Question(key="sharp", kind="likert", text="Sharpness", low=1, high=3),
        Question(key="part", kind="choice", text="Where?", choices=("brain", "bone"), compulsory=False),
        Question(key="why", kind="text", text="Why?", compulsory=False),
    )

    def rule(trial, shown):
        made = not is_real(shown[0])
        part = "bone" if made and number_of(shown[0]) == 0 else None
        return {**perfect(trial, shown), "questions": {"sharp": 1 + made, "part": part, "why": "x" if made else ""}}

    results = analyse(gathered(protocol(questions=questions), pictures(5), {"R1": rule, "R2": rule}))
    by = {(one.key, one.arm): one for one in results.asked}
    assert by["sharp", REAL].mean == 1.0 and by["sharp", "A"].mean == 2.0 and by["sharp", "A"].counts == {"1": 0, "2": 10, "3": 0}
    assert by["part", "A"].counts == {"brain": 0, "bone": 2} and by["part", "A"].answers == 2
    assert by["why", "A"].answers == 10 and by["why", REAL].answers == 0


def test_results_are_the_same_after_a_file(tmp_path):
    items = pictures(8, region=lambda case: "head" if case < 4 else "neck")
    results = analyse(gathered(protocol(), items, {"R1": perfect, "R2": guessing(1)}, repeats=0.2, said={"audit": {"area": 0.5}}))
    path = write_results(results, tmp_path / "results.json")
    assert read_results(path) == results and path.stat().st_mode & 0o077 == 0
    path.write_text("{}")
    with pytest.raises(FileRefused, match=r"results\.json holds no results"):
        read_results(path)


def test_a_sealed_truth_is_not_analysed():
    whole = gathered(protocol(), pictures(4), {"R1": perfect})
    with pytest.raises(CtmriError, match="sealed"):
        analyse(type(whole)(**{**whole.__dict__, "truth": None}))


def test_the_naive_pool_is_that_of_all_answers():
    results = analyse(gathered(protocol(), pictures(10), {"R1": right_on(range(8)), "R2": right_on(range(3))}))
    table = np.repeat([[1] * 8 + [0] * 2, [1] * 3 + [0] * 7], 2, axis=1)
    assert results.telling.naive.icc == pytest.approx(intervals.naive_pool(table).icc)


@pytest.mark.parametrize(("arms", "drop"), [((REAL, "A", "B"), ""), ((REAL, "A"), "A"), ((REAL, "A"), REAL)])
@pytest.mark.parametrize("choice", ["real", "synthetic"])
def test_who_always_says_the_commoner_kind_is_at_chance(arms, drop, choice):
    """Two synthetic pictures for each real one, or one kind on a third of the cases: half of the answers would not be chance."""
    items = [item for item in pictures(12, arms) if item.arm != drop or number_of(item) % 3 == 0]
    rules = {f"R{number}": lambda trial, shown: says(choice) for number in range(3)}
    telling = analyse(gathered(protocol(), items, rules)).telling
    assert all(one.estimate.value == 0.5 and one.verdict == "inconclusive" and not one.worse for one in telling.pooled)
    assert all(one.accuracy.value == 0.5 and one.verdict == "inconclusive" for one in telling.readers if one.arm == ALL)


def test_pictures_of_one_kind_alone_show_nothing_of_telling_them_apart():
    items = [item for item in pictures(12) if item.arm != REAL]
    results = analyse(gathered(protocol(), items, {"R1": perfect, "R2": perfect}))
    assert results.telling.pooled[0].verdict == "inconclusive" and "not computable" in results.verdict


def test_the_lowest_grade_of_all_is_no_share_of_nothing():
    rule = {reader: lambda trial, shown: {"choice": "", "questions": {"anatomy": 1}} for reader in ("R1", "R2")}
    assert "inconclusive" in analyse(gathered(protocol("grading"), pictures(6), rule)).verdict
