"""A rehearsal of every design: open, read by simulated readers through the real reading side, closed, analysed, reported."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from ctmri_core.cli import main
from ctmri_core.errors import CtmriError
from ctmri_core.events import finish
from ctmri_core.studies import rehearsal
from ctmri_core.studies.analysis.analyse import analyse
from ctmri_core.studies.analysis.diagnosis import is_on
from ctmri_core.studies.analysis.gather import gather
from ctmri_core.studies.analysis.results import read_results
from ctmri_core.studies.closing import close_study
from ctmri_core.studies.leak_audit import features_of
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.rehearsal import YOU, make_rehearsal, simulate
from ctmri_core.studies.rehearsal_pictures import FORM, MODELS, heads
from ctmri_core.studies.trials import Mark
from ctmri_core.studies.truth import REAL

DESIGNS = ("yes_no", "two_alternatives", "rank", "grading", "diagnosis")


@pytest.fixture(scope="module")
def drawn():
    """The first heads, with lesions: drawn once."""
    return list(islice(heads(400_000, lesions=True), 4))


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch, drawn):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(rehearsal, "TEST_HEADS", 3)
    monkeypatch.setattr(rehearsal, "_practice_heads", lambda _design: 1)
    monkeypatch.setattr(rehearsal, "heads", lambda _seed, lesions: iter(drawn))


def test_it_goes_to_its_report_by_one_command(tmp_path, capsys):
    folder = tmp_path / "study"
    assert main(["study", "rehearse", str(folder), "--all-simulated"]) == 0
    assert "report.pdf" in capsys.readouterr().out
    results = read_results(folder / "results" / "results.json")
    assert results.closed and results.faults == () and "simulated" in (folder / "results" / "report.html").read_text()


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_can_be_rehearsed(tmp_path, design):
    study = finish(make_rehearsal(tmp_path / "study", design))
    simulate(study.path, YOU, 0.7, 0)
    close_study(study)
    results = analyse(gather(study))
    assert [one.reader for one in results.readers if one.finished] == ["S1", "S2", YOU]
    assert results.verdict and "indistinguishable" not in results.verdict and results.faults == ()


def test_one_place_is_left_free_and_what_nobody_read_is_reported(tmp_path):
    study = finish(make_rehearsal(tmp_path / "study", readers=2))
    with study.record(writing=False) as record:
        assert {answer.reader for answer in record.answers()} == {"S1"}
    with Reading(study.path, YOU) as reading:
        assert reading.next_trial == reading.trials[0] and reading.facts is None and reading.protocol.consent
    close_study(study)
    results = analyse(gather(study))
    assert [one.finished for one in results.readers] == [True, False] and "1 reader" in results.verdict


def test_a_skilled_reader_is_right_and_one_without_skill_guesses(tmp_path):
    study = finish(make_rehearsal(tmp_path / "study", readers=1))
    simulate(study.path, YOU, 1.0, 1)
    known = {item.token: item for item in study.truth().items}
    with study.record(writing=False) as record:
        answers = {one.trial: one for one in record.answers()}
    trials = [trial for trial in study.order(YOU).assignment.trials if trial.block == "test"]
    right = [(answers[one.token].choice == "real") == (known[one.items[0]].arm == REAL) for one in trials]
    assert all(right) and all(answers[one.token].response_ms > 500 for one in trials)
    close_study(study)
    with pytest.raises(CtmriError):
        simulate(study.path, YOU, 0.5, 2)


def test_stopped_nothing_is_left(tmp_path):
    events = []
    assert finish(make_rehearsal(tmp_path / "study", stop=lambda: len(events) > 0 or bool(events.append(0)))) is None
    assert not (tmp_path / "study").exists()


def test_heads_have_one_form_and_lesions_lie_where_they_are_said_to(drawn):
    """Where one is, the real picture is darker than its surroundings, and a mark there is on it; Model A misses the first."""
    with_lesion = [head for head in drawn if head.lesion is not None]
    assert len(with_lesion) == 2 and {voxels.shape for head in drawn for voxels in head.arms.values()} == {FORM.shape}
    missed = []
    for head in with_lesion:
        place, radius = head.lesion
        k, j, i = (round(mm / step) for mm, step in zip(place, FORM.spacing, strict=True))
        inner, outer = (real(head, REAL, k, j, i, n) for n in (1, 8))
        assert inner < outer - 60
        missed.append(bool(real(head, MODELS[0], k, j, i, 1) > inner + 60))
        assert is_on(Mark(mm=place), rehearsal._truth(head, REAL, "0" * 16, "test", "diagnosis").reference)
        assert radius < 10
    assert missed == [True, False]


def real(head, arm, k, j, i, n):
    return float(np.median(head.arms[arm][k, j - n : j + n + 1, i - n : i + n + 1]))


def test_trivial_features_hardly_tell_its_arms_apart(drawn):
    for head in drawn:
        found = {arm: features_of(voxels, FORM.spacing) for arm, voxels in head.arms.items()}
        for model in MODELS:
            for key in ("noise", "sharpness", "background_share", "width", "values"):
                assert found[model][key] == pytest.approx(found[REAL][key], rel=0.12), key
