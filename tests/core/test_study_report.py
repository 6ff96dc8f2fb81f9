"""The report of a study: whole, in the allowed words, blind until the study is closed; and a study from folder to report."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest

from ctmri_core.cli import main
from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.studies.analysis.analyse import analyse
from ctmri_core.studies.analysis.gather import gather, gather_blind
from ctmri_core.studies.analysis.results import read_results, write_results
from ctmri_core.studies.closing import close_study
from ctmri_core.studies.exports import write_csv
from ctmri_core.studies.imrmc import read_imrmc
from ctmri_core.studies.pack import merge, pack
from ctmri_core.studies.pictures import Pictures, write_items, write_picture
from ctmri_core.studies.protocol import Analysis, Question
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.report import write_pdf, write_report
from ctmri_core.studies.report.contents import contents
from ctmri_core.studies.report.wording import REASONS
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.trials import Answer, Monitor, ReaderFacts
from ctmri_core.studies.truth import REAL, Arm, Exclusion, Order, Plan, Reference, Truth
from tests.core.simulated_study import (
    always_real,
    gathered,
    is_real,
    leaving_after,
    perfect,
    pictures,
    protocol,
    right_on,
    says,
)

AUDIT = {"audit": {"area": 0.7, "low": 0.6, "high": 0.8, "p": 0.01, "pictures": 20, "patients": 10, "verdict": "warns",
                   "features": [{"key": "noise", "title": "noise inside the body", "area": 0.7, "real": 1, "synthetic": 2}]},
         "override": "scanners differ"}  # fmt: skip


def sided(trial, shown):
    return says(str([is_real(item) for item in shown].index(False)), 4)


def ranked(trial, shown):
    return {"choice": ",".join(item.token for item in sorted(shown, key=lambda item: item.arm))}


def graded(trial, shown):
    return {"questions": {"anatomy": 3 + is_real(shown[0])}}


def found(trial, shown):
    return says("present" if shown[0].reference.present else "absent", 3)


def of_design(design, rule, **more):
    arms = (REAL, "A <b>", "B")[: 2 if design == "two_alternatives" else 3]
    items = pictures(8, arms=arms, reference=lambda case: Reference(present=case % 2 == 0) if design == "diagnosis" else None)
    readers = {"R1": rule, "R2": rule, "R3": leaving_after(5, rule)}
    return analyse(gathered(protocol(design), items, readers, repeats=0.2, **more))


@pytest.mark.parametrize(
    ("design", "rule"),
    [("yes_no", right_on(range(6))), ("two_alternatives", sided), ("rank", ranked), ("grading", graded), ("diagnosis", found)],
)
def test_every_design_has_a_report_that_fetches_nothing(tmp_path, design, rule):
    results = of_design(design, rule)
    page = write_report(results, tmp_path / "report.html").read_text()
    assert write_pdf(results, tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "<b>" not in page and results.card.protocol_sha256 in page and results.card.seed in page
    assert not re.search(r"https?://(?!www\.w3\.org)", page) and "indistinguishable" not in page and "t000.nii" not in page
    assert "R3 (5 of" in page and "Holm" in page and (tmp_path / "report.html").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("trials", [0, 1, 3])
def test_who_left_early_has_a_whole_row_in_every_table(trials):
    items = pictures(8, arms=(REAL, "A", "B"))
    document = contents(analyse(gathered(protocol(), items, {"R1": leaving_after(trials, right_on(range(6)))})))
    for section in document.sections:
        for table in section.blocks:
            assert all(len(row) == len(table.columns) for row in getattr(table, "rows", ())), table


def test_the_leak_audit_and_its_override_are_told():
    document = contents(of_design("yes_no", perfect, said=AUDIT))
    told = str(next(section for section in document.sections if section.title == "Do trivial features tell?"))
    assert "area of 0.70" in told and "noise inside the body" in told and "scanners differ" in told


def test_naive_numbers_carry_their_name_and_no_verdict():
    document = contents(of_design("yes_no", right_on(range(6))))
    (main,) = [section for section in document.sections if section.title == "Real or synthetic"]
    (table,) = [block for block in main.blocks if getattr(block, "title", "") == "Readers together"]
    naive = [row for row in table.rows if "naive" in str(row[1])]
    assert len(naive) == 1 and "none: naive" in naive[0] and any("Naive" in text for text in table.above)


@pytest.mark.parametrize("closed", [True, False])
def test_pictures_are_shown_of_a_closed_study_alone(tmp_path, closed):
    whole = gathered(protocol(), pictures(6), {"R1": perfect, "R2": always_real}, closed=closed)
    chance = np.random.default_rng(1)
    voxels = {token: chance.integers(0, 900, (6, 8, 8)).astype(np.int16) for token in whole.items}
    write_items(tmp_path, [write_picture(tmp_path, token, one, (2.0, 1.0, 1.0)) for token, one in voxels.items()])
    document = contents(analyse(whole), Pictures(tmp_path))
    told = next(section for section in document.sections if section.title == "Hardest and easiest")
    assert [getattr(block, "title", "") for block in told.blocks] == (
        ["Hardest pictures", "Easiest pictures", "Every picture, the hardest first"] if closed else [""]
    )
    first = [getattr(block, "title", "") for block in document.sections[0].blocks]
    assert ("Interim analysis of an open study" in first) != closed


def test_from_a_study_of_two_sites_to_its_report(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))
    items = pictures(6, practice=1)
    asked = protocol(questions=(Question(key="why", kind="text", text="Why?", compulsory=False),), analysis=Analysis(margin=0.2))
    plan = Plan(seed="77" * 32, readers=("R1", "R2"), repeats=0.2, practice=2, order=Order(may_relax=True))
    truth = Truth(protocol=asked.sha256, plan=plan, arms=(Arm(name=REAL), Arm(name="A")), items=tuple(items))
    folder = tmp_path / "study"
    made = [write_picture(folder, item.token, np.zeros((3, 4, 4), np.int16), (1.0, 1.0, 1.0)) for item in items]
    write_draft(folder, asked, truth, made)
    study = StudyFolder(folder).open("2026-01-01T00:00:00Z", "1.0", AUDIT)
    pack(study, "R2", tmp_path / "R2.ctmri-reader")
    for reader, place in (("R1", folder), ("R2", tmp_path / "R2.ctmri-reader")):
        read(place, reader, items)
    merge(study, tmp_path / "R2.ctmri-answers")
    assert main(["study", "export", str(folder), "--output", str(tmp_path / "early.csv")]) == 0
    assert "t000" not in (tmp_path / "early.csv").read_text() and main(["study", "analyse", str(folder)]) != 0
    with pytest.raises(CtmriError, match="not closed"):
        gather(study)
    early = analyse(gather(study, interim=True))
    assert not early.closed and gather_blind(study).entries[-1].kind != "answer"
    with study.record(writing=False) as record:
        assert record.entries("unsealed")
    anchors = close_study(study)
    with pytest.raises(CtmriError, match="closed already"):
        close_study(study)
    with pytest.raises(FileRefused, match="is a study that is closed"):
        Reading(folder, "R1")
    with pytest.raises(FileRefused, match="comes too late"):
        merge(study, tmp_path / "R2.ctmri-answers")
    whole = gather(study)
    results = analyse(whole)
    assert results.closed and results.anchors == tuple(map(str, anchors)) and len(anchors) == 2 and results.faults == ()
    assert [(one.reader, one.finished, one.sittings, one.patches, one.years) for one in results.readers] == [
        ("R1", True, 1, True, 7.0), ("R2", True, 1, True, 7.0)
    ]  # fmt: skip
    assert results.telling.pooled[0].verdict == "better than chance" and results.flow.shown["practice"] == {REAL: 1, "A": 1}
    assert read_results(write_results(results, tmp_path / "results.json")) == results
    assert main(["study", "analyse", str(folder)]) == 0
    assert read_results(folder / "results" / "results.json").verdict == results.verdict
    assert main(["study", "export", str(folder), "--format", "imrmc", "--output", str(tmp_path / "s.imrmc")]) == 0
    assert read_imrmc(tmp_path / "s.imrmc").scores.shape == (1, 2, 12)
    page = write_report(results, tmp_path / "report.html", study.pictures).read_text()
    assert str(anchors[0]) in page and "Hardest pictures" in page
    text = write_csv(whole, tmp_path / "answers.csv").read_text()
    assert text.count("\n") == 1 + 2 * (2 + 14) and str(anchors[1]) in text


def read(place, reader, items):
    known = {item.token: item for item in items}
    with Reading(place, reader) as reading:
        reading.introduce(ReaderFacts(reader=reader, years=7, specialty="neuro"))
        reading.begin(Monitor(width=1920, height=1080, pixel_ratio=1, depth=24, patches=True))
        while trial := reading.next_trial:
            said = perfect(trial, tuple(known[token] for token in trial.items))
            when = {"shown_at": "2026-01-01T00:00:00Z", "response_ms": 900.0}
            reading.answer(Answer(reader=reader, session=1, trial=trial.token, **when, **said))
        reading.finish()


def test_every_reason_for_which_a_case_is_left_out_has_words():
    """One had none, and a diagnostic study with such a case no report."""
    assert set(REASONS) == set(get_args(Exclusion.model_fields["reason"].annotation))
