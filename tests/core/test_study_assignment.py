"""Who sees what in which order: symmetric, kept apart, balanced, the same another time."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pytest
from numpy.random import PCG64, Generator
from scipy.stats import chisquare

from ctmri_core.errors import CtmriError
from ctmri_core.studies.assignment import _kinds, assign, feasible, order_seed
from ctmri_core.studies.protocol import Protocol, Question
from ctmri_core.studies.truth import REAL, ItemTruth, Order, Plan, Reference

SEED = "5e" * 32


def protocol(design="yes_no", **more):
    if design == "grading":
        more["questions"] = (Question(key="anatomy", kind="likert", text="Anatomy", low=1, high=4),)
    if design == "diagnosis":
        more["finding"] = "lesion"
    return Protocol(study="0f" * 8, title="Study", design=design, **more)


def pictures(pairs, arms=(REAL, "A"), *, paired=True, practice=3):
    """`pairs` cases with a picture of every arm, and `practice` of them of other patients."""
    made = []
    for block, count in (("test", pairs), ("practice", practice)):
        for case in range(count):
            for number, arm in enumerate(arms):
                patient = f"{block}{case}" if paired else f"{block}{case}{arm}"
                token = f"{hash_of(block, case, number):016x}"
                made.append(ItemTruth(token=token, arm=arm, case=f"{block}{case}", patient=patient, block=block))
    return made


def hash_of(block, case, number):
    return 1 + case * 8 + number + (1 << 32 if block == "practice" else 0)


def drawn(items, reader="R1", design="yes_no", **plan):
    return assign(protocol(design), Plan(seed=SEED, **plan), items, reader)


def of_test(found):
    return [trial for trial in found.trials if trial.block == "test"]


def arms_of(found, items):
    arm = {item.token: item.arm for item in items}
    return [arm[trial.items[0]] != REAL for trial in of_test(found)]


def test_a_reader_gets_the_same_another_time_and_another_reader_another_order():
    items = pictures(30)
    assert drawn(items) == drawn(list(items)) and drawn(items).trials != drawn(items, "R2").trials
    tokens = [trial.token for trial in drawn(items).trials]
    assert len(set(tokens)) == len(tokens) and not set(tokens) & {trial.token for trial in drawn(items, "R2").trials}
    assert drawn(items).seed != drawn(items, "R2").seed


def test_every_picture_is_shown_once_and_the_repeats_twice_far_apart():
    items = pictures(40)
    found = drawn(items, repeats=0.1)
    shown = Counter(trial.items for trial in of_test(found))
    assert sorted(shown.values()) == [1] * 72 + [2] * 8 and len(found.repeats) == 8
    place = {trial.token: trial.number for trial in of_test(found)}
    again = {trial.token: trial.items for trial in of_test(found)}
    for second, first in found.repeats.items():
        assert place[second] - place[first] >= 20 and again[second] == again[first]
    kinds = Counter(item.arm for item in items for second in found.repeats if again[second] == (item.token,))
    assert kinds == {REAL: 4, "A": 4}


@pytest.mark.parametrize("reader", [f"R{number}" for number in range(20)])
def test_runs_are_short_and_pictures_of_one_patient_far_apart(reader):
    items = pictures(30)
    patient = {item.token: item.patient for item in items}
    found = drawn(items, reader)
    assert max(len(list(run)) for _, run in groupby(arms_of(found, items))) <= 4
    seen = {}
    for trial in of_test(found):
        who = patient[trial.items[0]]
        assert trial.number - seen.get(who, -99) >= 15
        seen[who] = trial.number


def test_real_and_synthetic_stand_at_every_place_alike_for_ten_thousand_readers():
    """Without pairs, so that the many are quick; symmetric under exchange of the two kinds, not even over the places."""
    items = pictures(8, paired=False, practice=0)
    plan, asked = Plan(seed=SEED, repeats=0.0, practice=0, order=Order(longest_run=4)), protocol()
    arm = {item.token: item.arm != REAL for item in items}
    synthetic = np.zeros(16, int)
    sequences = Counter()
    for reader in range(10_000):
        row = [arm[trial.items[0]] for trial in assign(asked, plan, items, f"R{reader}").trials]
        synthetic += row
        sequences[tuple(row)] += 1
    assert np.abs(synthetic - 5000).max() < 4 * np.sqrt(2500)  # four standard errors at 16 places
    assert len(sequences) > 5000  # of 8 + 8 without a run of five there are 9 150


def test_paired_pictures_stand_at_every_place_alike_too():
    items = pictures(24, practice=0)
    synthetic = np.sum([arms_of(drawn(items, f"R{reader}", repeats=0.0), items) for reader in range(300)], axis=0)
    assert np.abs(synthetic - 150).max() < 4 * np.sqrt(75)


def test_sequences_of_kinds_are_drawn_evenly():
    """All 3 + 3 without three in a row: counted by hand there are 14; each comes as often as another."""
    items = pictures(3, paired=False, practice=0)
    plan = Plan(seed=SEED, repeats=0.0, practice=0, order=Order(longest_run=2))
    arm = {item.token: item.arm != REAL for item in items}
    asked = protocol()
    orders = [assign(asked, plan, items, f"R{reader}").trials for reader in range(2800)]
    seen = Counter(tuple(arm[trial.items[0]] for trial in trials) for trials in orders)
    assert len(seen) == 14 and chisquare(list(seen.values())).pvalue > 0.001


@pytest.mark.parametrize("pairs", [29, 30])
def test_two_alternatives_are_balanced_left_and_right_for_every_reader(pairs):
    items = pictures(pairs)
    made = {item.token for item in items if item.arm != REAL}
    right = []
    for reader in range(40):
        found = drawn(items, f"R{reader}", "two_alternatives", order=Order(may_relax=True))
        sides = [trial.items[1] in made for trial in of_test(found)]
        assert abs(2 * sum(sides) - len(sides)) <= 1
        assert all(len(set(trial.items) & made) == 1 for trial in of_test(found))
        right.append(sum(sides) > len(sides) / 2)
        again = {trial.token: trial.items for trial in of_test(found)}
        assert all(again[second] == again[first] for second, first in found.repeats.items()) and len(found.repeats) == 3
    if (pairs + 3) % 2:
        assert 8 < sum(right) < 32  # neither side has the one more for all


def test_a_ranking_shows_every_arm_at_every_place_equally_often():
    items = pictures(12, (REAL, "A", "B", "C"), practice=0)
    arm = {item.token: item.arm for item in items}
    found = drawn(items, design="rank", repeats=0.0)
    for place in range(4):
        assert set(Counter(arm[trial.items[place]] for trial in of_test(found)).values()) == {3}


def test_thirty_trials_of_fifteen_pairs_are_refused_or_relaxed_on_record():
    items = pictures(15, practice=0)
    with pytest.raises(CtmriError, match="one patient 10 instead of 15 trials apart"):
        drawn(items, repeats=0.0)
    found = drawn(items, repeats=0.0, order=Order(may_relax=True))
    relaxed = feasible(protocol(), Plan(seed=SEED, repeats=0.0, order=Order(may_relax=True)), items).relaxed
    assert relaxed == ("one patient 10 instead of 15 trials apart (30 trials in all)",)
    places = {}
    for trial in of_test(found):
        places.setdefault(next(item.patient for item in items if item.token == trial.items[0]), []).append(trial.number)
    assert min(second - first for first, second in places.values()) >= 10
    firsts = [arm for arm, trial in zip(arms_of(found, items), of_test(found), strict=True) if trial.number <= 15]
    assert 0 < sum(firsts) < 15  # the second half does not copy the first


def test_rare_kinds_need_longer_runs_and_this_is_said():
    items = pictures(5, paired=False, practice=0)[1::2] + pictures(60, arms=(REAL,), practice=0)
    with pytest.raises(CtmriError, match="runs of up to 10 instead of 4"):
        drawn(items, repeats=0.0)
    found = drawn(items, repeats=0.0, order=Order(may_relax=True))
    assert max(len(list(run)) for _, run in groupby(arms_of(found, items))) <= 10


def test_diagnosis_alternates_by_the_finding():
    there = [Reference(present=number % 2 == 0) for number in range(60)]
    items = [ItemTruth(token=f"{k:016x}", arm=REAL, case=str(k), patient=str(k), reference=one) for k, one in enumerate(there)]
    present = {item.token: item.reference.present for item in items}
    found = drawn(items, design="diagnosis")
    assert max(len(list(run)) for _, run in groupby(present[trial.items[0]] for trial in of_test(found))) <= 4


def test_what_makes_no_trials_is_refused():
    with pytest.raises(CtmriError, match="no pictures"):
        drawn(pictures(0))
    mixed = [*pictures(4), ItemTruth(token="f" * 16, arm=REAL, case="x", patient="test0", block="practice")]
    with pytest.raises(CtmriError, match="1 patients are in the practice block"):
        drawn(mixed)
    with pytest.raises(CtmriError, match="needs one real and one synthetic"):
        drawn(pictures(4, (REAL,)), design="two_alternatives")
    with pytest.raises(CtmriError, match="has 1 pictures"):
        drawn(pictures(4, (REAL,)), design="rank")


def test_many_pictures_of_few_patients_find_an_order():
    """Nine of each of eight: seven patients between any two of one would leave next to no order at all."""
    items = [item.model_copy(update={"patient": f"{item.block}{int(item.case[4:]) // 3}"})
             for item in pictures(24, (REAL, "A", "B"), practice=0)]  # fmt: skip
    plan = Plan(seed=SEED, repeats=0.1, order=Order(may_relax=True))
    kept = feasible(protocol(), plan, items).order
    assert kept.pairs_apart == 5
    patients = {item.token: item.patient for item in items}
    for reader in ("R1", "R2"):
        trials = assign(protocol(), plan, items, reader).trials
        shown = [patients[trial.items[0]] for trial in trials]
        assert len(shown) == 79 and all(len(set(shown[place:place + 5])) == 5 for place in range(75))


def test_several_models_make_a_pair_each_and_these_stay_apart():
    items = pictures(30, (REAL, "A", "B"), practice=0)
    patient = {item.token: item.patient for item in items}
    assert feasible(protocol("two_alternatives"), Plan(seed=SEED), items).relaxed == ()
    places = {}
    for trial in of_test(drawn(items, design="two_alternatives")):
        places.setdefault(patient[trial.items[0]], []).append(trial.number)
    assert sum(map(len, places.values())) == 66
    assert all(min(np.diff(numbers)) >= 15 for numbers in places.values())


def test_three_pictures_of_each_patient_get_an_order_that_can_be_kept():
    items = pictures(12, arms=(REAL, "A", "B"))
    asked = Order(may_relax=True)
    assert feasible(protocol(), Plan(seed=SEED, repeats=0, order=asked), items).order.pairs_apart == 9
    found = of_test(drawn(items, repeats=0.0, order=asked))
    patient = {item.token: item.patient for item in items}
    places = {name: [n for n, trial in enumerate(found) if patient[trial.items[0]] == name] for name in set(patient.values())}
    assert len(found) == 36 and all(b - a >= 9 for own in places.values() for a, b in pairwise(own))


@pytest.mark.parametrize(("cases", "arms", "repeats"), [(5, (REAL, "A"), 0.2), (8, (REAL, "A", "B"), 0.2), (3, (REAL, "A"), 0.5)])
def test_small_studies_with_repeats_get_an_order_where_it_may_be_relaxed(cases, arms, repeats):
    items = pictures(cases, arms=arms)
    for reader in ("R1", "R2", "R3"):
        assert of_test(drawn(items, reader, repeats=repeats, order=Order(may_relax=True)))


def test_what_a_reader_is_given_does_not_draw_the_order_anew():
    """The seed in his file is a hash of the one that drew; with that the kinds were all known."""
    items = pictures(30, practice=0)
    plan = Plan(seed=SEED, practice=0, repeats=0.0)
    found = assign(protocol(), plan, items, "R1")
    told, secret = (_kinds_from(seed, len(items)) for seed in (found.seed, order_seed(plan, "R1")))
    truth = np.array(arms_of(found, items))
    assert np.array_equal(secret, truth) or np.array_equal(secret, ~truth)
    assert 12 <= np.sum(told == truth) <= 48
    assert found.seed == hashlib.sha256(order_seed(plan, "R1").encode()).hexdigest()


def _kinds_from(seed, count):
    """As `assign` draws them, from what must not be in a reader's file."""
    chance = Generator(PCG64(int(seed[:32], 16)))
    chance.permutation(count)
    chance.permutation(2)
    drawn_kinds = _kinds([0] * (count // 2) + [1] * (count // 2), 4, chance)
    return np.array(drawn_kinds, bool)
