"""Answers for other programs: every answer once, texts that do nothing, scores that come back as they were."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.statistics import u_statistics
from ctmri_core.studies.exports import write_csv, write_json_lines
from ctmri_core.studies.imrmc import imrmc_front, imrmc_readings, read_imrmc, write_imrmc
from ctmri_core.studies.protocol import Question
from ctmri_core.studies.trials import Mark
from ctmri_core.studies.truth import REAL, Reference
from tests.core.published_readings import imrmc_example
from tests.core.simulated_study import gathered, leaving_after, perfect, pictures, protocol, right_on, says


def study(**more):
    why = Question(key="why", kind="text", text="Why?", compulsory=False)

    def telling(trial, shown):
        marks = (Mark(mm=(1.0, 2.0, 3.0), label="edge"),)
        return {**perfect(trial, shown), "marks": marks, "reasons": ("noise",), "questions": {"why": '=HYPERLINK("x"), "no"'}}

    readers = {"R1": telling, "R2": leaving_after(3, right_on(range(2)))}
    return gathered(protocol(questions=(why,)), pictures(6, practice=2), readers, repeats=0.2, **more)


def test_a_csv_has_one_row_for_each_answer(tmp_path):
    whole = study()
    with write_csv(whole, tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(whole.answers) == (4 + 14) + (4 + 3)
    first = next(row for row in rows if row["block"] == "test")
    assert first["q_why"] == '\'=HYPERLINK("x"), "no"' and json.loads(first["marks"])[0]["mm"] == [1.0, 2.0, 3.0]
    assert json.loads(first["arms"]) in (["real"], ["A"]) and first["correct"] == "1" and first["response_ms"] == "4000.0"
    assert sum(bool(row["repeats"]) for row in rows) == 2 and {row["reader"] for row in rows} == {"R1", "R2"}


def test_while_the_truth_is_sealed_no_column_tells_it(tmp_path):
    whole = study()
    blind = type(whole)(**{**whole.__dict__, "truth": None})
    with write_csv(blind, tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(not row[name] for row in rows for name in ("arms", "cases", "signal", "correct", "score"))
    assert "t000" not in (tmp_path / "answers.csv").read_text()


def test_json_lines_begin_with_the_study_and_its_anchors(tmp_path):
    whole = study()
    lines = [json.loads(line) for line in write_json_lines(whole, tmp_path / "answers.jsonl").read_text().splitlines()]
    assert lines[0]["kind"] == "study" and lines[0]["anchors"] == [] and lines[0]["closed"] is True
    assert len(lines) == 1 + len(whole.answers) and lines[-1]["reader"] == "R2" and lines[1]["q_why"][0] == "="


def test_the_published_example_comes_back_as_it_was(shared_data, tmp_path):
    expected = imrmc_example(shared_data)
    found = read_imrmc(shared_data / "reader_study" / "imrmc_input.imrmc")
    again = read_imrmc(write_imrmc(found, tmp_path / "again.imrmc", ("two lines", "of text")))
    for one in (found, again):
        assert (one.readers, one.cases, one.modalities) == (expected.readers, expected.cases, expected.modalities)
        np.testing.assert_array_equal(one.scores, expected.scores)
        np.testing.assert_array_equal(one.signal, expected.signal)
    assert u_statistics.mean_area(again, "testA").by_t.value == pytest.approx(0.704375)


def test_real_pictures_stand_under_each_model_and_gaps_stay_gaps(tmp_path):
    items = pictures(8, arms=(REAL, "A", "B, second"))
    whole = gathered(protocol(), items, {"R1": perfect, "R2": leaving_after(9, right_on(range(5)))}, repeats=0.2)
    readings = imrmc_readings(whole)
    again = read_imrmc(write_imrmc(readings, tmp_path / "study.imrmc", imrmc_front(whole)))
    assert again.modalities == ("A", "B; second") and again.scores.shape == (2, 2, 16) and int(again.signal.sum()) == 8
    by_name = dict(zip(again.cases, again.scores.transpose(2, 0, 1), strict=True))
    for case, scores in zip(readings.cases, readings.scores.transpose(2, 0, 1), strict=True):
        np.testing.assert_array_equal(by_name[case], scores)
    real = again.scores[:, :, ~again.signal]
    np.testing.assert_array_equal(real[0], real[1])
    assert again.missing > 0 and (tmp_path / "study.imrmc").read_text().startswith("CT-MRI Studio")


def test_a_finding_is_the_truth_of_a_diagnostic_task():
    items = pictures(6, reference=lambda case: Reference(present=case < 3))
    readings = imrmc_readings(gathered(protocol("diagnosis"), items, {"R1": lambda trial, shown: says("present", 3)}))
    assert readings.modalities == (REAL, "A") and int(readings.signal.sum()) == 3 and readings.scores.shape == (2, 1, 6)


def test_designs_without_scores_are_refused():
    def left(trial, shown):
        return says("0", 4)

    with pytest.raises(CtmriError, match="CSV"):
        imrmc_readings(gathered(protocol("two_alternatives"), pictures(4), {"R1": left}))
    with pytest.raises(CtmriError, match="Nothing was answered"):
        imrmc_readings(gathered(protocol(), pictures(4), {"R1": leaving_after(0, left)}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no data", "no line BEGIN DATA"),
        ("BEGIN DATA:\ntruth,c1,truth,2\n", r"neither 0 nor 1 \(line 2\)"),
        ("BEGIN DATA:\ntruth,c1,truth,1\nr,c1,m\n", r"not four values \(line 3\)"),
        ("BEGIN DATA:\ntruth,c1,truth,1\nr,c1,m,nan\n", "no number"),
        ("BEGIN DATA:\ntruth,c1,truth,1\nr,c1,m,high\n", "no number at its end"),
        ("BEGIN DATA:\ntruth,c1,truth,1\nr,c2,m,1\n", "1 cases without a truth"),
        ("BEGIN DATA:\ntruth,c1,truth,1\nr,c1,m,1\nr,c1,m,2\n", "two scores"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, text, problem):
    path = tmp_path / "bad.imrmc"
    path.write_text(text)
    with pytest.raises(FileRefused, match=problem):
        read_imrmc(path)


