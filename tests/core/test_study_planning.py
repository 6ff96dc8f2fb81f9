"""How large a study is planned: published tables for one reader, the algebra of several, and words for what cannot be."""

from __future__ import annotations

import pytest

from ctmri_core.cli import main
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.mrmc_power import Spread, cases_for_noninferiority, power_of_noninferiority
from ctmri_core.studies.planning import SizePlan, planning_table, size_plan
from ctmri_core.studies.protocol import Analysis


def planned(design="yes_no", expected=0.7, *, margin=0.1, readers=1, primary="accuracy", random=True, **more):
    asked = Analysis(margin=margin, primary=primary, readers_random=random)
    more = {"shown": "slice", "repeats": 0.0, "practice": 0, **more}
    return size_plan(design, expected=expected, analysis=asked, readers=readers, **more)


@pytest.mark.parametrize(("expected", "margin", "power", "trials"), [
    (0.70, 0.1, 0.8, 54), (0.65, 0.1, 0.8, 97), (0.75, 0.1, 0.9, 42), (0.5, 0.15, 0.8, 100), (0.5, 0.10, 0.9, 281)
])  # fmt: skip
def test_one_reader_by_the_published_table(expected, margin, power, trials):
    found = planned("two_alternatives", expected, margin=margin, power=power)
    assert found.trials == found.cases == trials
    twice = planned("yes_no", expected, margin=margin, power=power)
    assert twice.cases == -(-trials // 2) and twice.trials == 2 * twice.cases


def test_the_table_is_the_one_of_the_plan_of_reader_studies():
    rows = [(row.accuracy or row.margin, row.trials_80, row.trials_90) for row in planning_table()]
    assert rows == [(0.55, 820, 1080), (0.6, 210, 274), (0.65, 97, 121), (0.7, 54, 70), (0.75, 35, 42),
                    (0.15, 100, 126), (0.1, 227, 281), (0.05, 888, 1104)]  # fmt: skip


def test_minutes_count_practice_repeats_and_every_picture():
    alone = planned("two_alternatives", repeats=0.0, practice=0)
    assert alone.minutes == pytest.approx(54 * 8 * 1.5 / 60, abs=0.06)
    more = planned("yes_no", repeats=0.5, practice=6, shown="volume")
    assert more.minutes == pytest.approx((54 + 27 + 6) * 45 / 60, abs=0.06)
    assert any("2 sittings" in words for words in more.words)


def test_more_readers_need_fewer_cases_and_never_fewer_than_the_audit():
    sizes = [planned(expected=0.65, readers=readers).trials for readers in (4, 6, 10)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[2]
    few = planned(expected=0.95, readers=6)
    assert few.cases == 10 and any("leak audit" in words for words in few.words)


def test_non_inferiority_has_the_power_that_is_said():
    """Normal limit by hand: room / se = z(0.975) + z(0.8); two arms of one reader, 0.01 variance with 100 cases."""
    spread = Spread(0.0, 0.01, 0.0, 100, 2)
    cases = cases_for_noninferiority(spread, 0.1, 1, holds_for="cases")
    assert cases == pytest.approx(2 * 1.0 * ((1.959964 + 0.841621) / 0.1) ** 2, abs=1)
    assert power_of_noninferiority(spread, 0.1, 1, cases, holds_for="cases") == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(("design", "expected"), [("yes_no", 0.7), ("two_alternatives", 0.7), ("rank", 0.7), ("grading", 0.0),
                                                  ("diagnosis", 0.85)])  # fmt: skip
def test_every_design_and_figure_has_a_size(design, expected):
    for primary in ("accuracy", "auc"):
        found = planned(design, expected, readers=5, primary=primary, margin=0.5 if design == "grading" else 0.1, models=2)
        assert isinstance(found, SizePlan) and found.trials >= found.cases >= 10
    fewer = planned(design, expected, readers=5, random=False, margin=0.5 if design == "grading" else 0.1, models=2)
    assert fewer.cases <= found.cases


@pytest.mark.parametrize(("arguments", "said"), [
    (("yes_no", 1.0), "between 0.5 and 1"), (("grading", -0.6), "beyond the margin"), (("yes_no", 0.502), "more trials than"),
])  # fmt: skip
def test_what_cannot_be_planned_is_said(arguments, said):
    found = planned(*arguments, margin=0.5) if arguments[1] != 0.502 else planned(*arguments, margin=0.001)
    assert isinstance(found, NotComputable) and (said in found.because or "margin" in found.because)


def test_too_few_readers_are_told_what_helps():
    found = planned(expected=0.6, readers=2)
    assert isinstance(found, NotComputable) and "More readers, or a result that is to hold for these readers" in found.because
    assert isinstance(planned(expected=0.6, readers=2, random=False), SizePlan)


def test_at_the_command_line(capsys):
    assert main(["study", "plan", "--expected", "0.7", "--slices", "--practice", "0", "--repeats", "0"]) == 0
    told = capsys.readouterr().out
    assert "54 trials" in told and "27 patients" in told and "820        1080" in told
    assert main(["study", "plan", "--power", "2"]) == 1
    assert main(["study", "plan", "--margin", "9"]) == 1
