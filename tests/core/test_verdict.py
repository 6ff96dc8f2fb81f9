"""The verdict on a run: models of a known error, held against doing nothing and one grey value."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import bootstrap

from ctmri_core.data.dataset import DatasetCase, DatasetFolder, DatasetIndex
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import FileRefused, TrainingFailed
from ctmri_core.events import Progress, never
from ctmri_core.methods.pix2pix.card import CARD as PIX2PIX
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import load_method
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.verdict import (
    NO_PAIRS,
    Contender,
    Difference,
    DirectionVerdict,
    PatientScores,
    Verdict,
    judge,
    read_verdict,
)

TO_MR, TO_CT = Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT)
CONFIG = {"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False}
RECIPE = Recipe(spacing_mm=3.0)
EDGE = 24


@pytest.fixture
def nothing_ships(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The model that ships is large for a test."""
    monkeypatch.setattr("ctmri_core.training.judging.resources_folder", lambda: tmp_path / "nothing")


def contender(who: str, errors: list[float]) -> Contender:
    scores = tuple(PatientScores(patient=n, error=error, psnr_db=20, ssim=0.5) for n, error in enumerate(errors, 1))
    return Contender(who=who, scores=scores)


def verdict_of(own: list[float], mean: list[float], *, shipped: list[float] | None = None, unit: str = "HU") -> DirectionVerdict:
    others = [contender("nothing", [900.0] * len(own)), contender("training_mean", mean)]
    others += [contender("shipped", shipped)] if shipped else []
    first = contender("own", own)
    return DirectionVerdict(
        direction="mr_t1_to_ct", label="T1 MR → CT", model="m.safetensors", weights_sha256="0" * 64, unit=unit,
        contenders=(first, *others), differences=tuple(Difference.between(first, other) for other in others),
    )  # fmt: skip


def test_words_say_how_much_better_and_on_how_many():
    better = verdict_of([60.0] * 29 + [120.0], [100.0] * 30)
    assert better.worth_keeping
    assert better.sentence == "Worth keeping: 38 HU better than the training mean on 29 of 30 patients."
    same = verdict_of([100.0, 101.0, 99.5, 100.5, 100.0, 100.2], [100.0] * 6)
    assert same.worth_keeping is False
    assert same.sentence == "Not worth keeping: no better than one grey value."
    chance = verdict_of([20.0, 130.0, 120.0, 110.0, 125.0, 60.0], [100.0] * 6)
    assert chance.worth_keeping is False
    said = "Not worth keeping yet: 5.8 HU better than the training mean on average, but only on 2 of 6 patients, which may"
    assert chance.sentence == f"{said} be chance."
    few = verdict_of([5.0, 6.0], [9.0, 9.0], unit="% of the range")
    assert few.worth_keeping
    assert few.sentence.endswith("on 2 of 2 patients. 2 patients say little: this may be chance.")
    assert "3.5 % of the range better" in few.sentence
    beaten = verdict_of([60.0] * 6, [100.0] * 6, shipped=[40.0] * 5 + [70.0])
    assert beaten.sentence.endswith("The shipped model is 15 HU better on 5 of 6 patients.")
    best = verdict_of([60.0] * 6, [100.0] * 6, shipped=[70.0] * 6)
    assert best.sentence.endswith("It is 10 HU better than the shipped model on 6 of 6 patients.")


def test_interval_is_the_percentile_bootstrap():
    gains = np.random.default_rng(3).normal(4, 10, 25)
    result = bootstrap((gains,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1))
    assert interval(gains) == pytest.approx(tuple(result.confidence_interval), abs=0.25)
    assert interval(gains) == interval(gains)


def pictures(patient: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, h, w) CT, MR and body: MR is minus CT, so that doing nothing and the right answer are known."""
    random = np.random.default_rng(patient)
    j, i = np.mgrid[-1 : 1 : EDGE * 1j, -1 : 1 : EDGE * 1j]
    body = np.broadcast_to(j**2 + i**2 < 0.8, (count, EDGE, EDGE))
    ct = np.where(body, random.uniform(-0.5, 0.5, body.shape), -1).astype(np.float32)
    return ct, np.where(body, -ct, -1).astype(np.float32), body


def dataset(folder: Path, *, validation: int = 2, domains=(Domain.CT, Domain.MR_T1), slices: int = 5) -> None:
    """Two training patients and `validation` others, each of two cases."""
    folder.mkdir(parents=True)
    cases = []
    for patient in range(2 + validation):
        for part in range(2):
            ct, mr, body = pictures(10 * patient + part, slices)
            file = f"{patient:015x}{part}-{patient:015x}{part}.npy"
            planes = {Domain.CT: ct, Domain.MR_T1: mr}
            own = domains if patient >= 2 else (Domain.CT, Domain.MR_T1)
            np.save(folder / file, np.stack([*(planes[domain] for domain in own), body], 1).astype(np.float16))
            cases.append(DatasetCase(
                key=f"{patient:015x}{part}", patient=f"{patient:016x}", file=file, fingerprint=f"{patient:015x}{part}",
                domains=own, backgrounds=(-1.0,) * len(own), pictures=slices, slice_mm=3.0,
                side="train" if patient < 2 else "validation",
            ))  # fmt: skip
    both = (Domain.CT, Domain.MR_T1)
    index = DatasetIndex(made_from={}, salt="s", recipe=RECIPE, domains=both, complete=True, cases=tuple(cases))
    DatasetFolder(folder).finish(index)


def run_folder(path: Path, direction: Direction, *, constant: float | None = None, **data: object) -> RunFolder:
    """A run with a model that answers `constant` (in [-1, 1]) everywhere, or as its random weights will."""
    dataset(path / "prepared", **data)
    folder = RunFolder(path)
    plan = RunPlan.made(PIX2PIX, "data that are away", direction, config=CONFIG)
    folder.write_config(plan.stored())
    torch.manual_seed(0)
    generator = load_method("pix2pix").build_generator(plan.config, direction)
    weights = generator.state_dict()
    if constant is not None:
        last = [name for name in weights if name.endswith("weight")][-1]
        weights[last].zero_()
        weights[last.replace("weight", "bias")].fill_(float(np.arctanh(constant)))
    card = ModelCard(
        name="Tried", method="pix2pix", config=plan.config.told(), direction=direction, recipe=RECIPE, body_region="head",
        created=datetime.now(UTC),
    )  # fmt: skip
    save_model(folder.models / f"pix2pix-{direction.name}.safetensors", weights, card)
    return folder


def judged(folder: RunFolder, stop=never) -> tuple[list[object], Verdict | None]:
    events, work = [], judge(folder.path, stop)
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


def test_the_shipped_model_of_the_same_direction_is_asked_too(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_CT, constant=0.25, validation=1, slices=2)
    _, verdict = judged(folder)
    assert verdict is not None
    assert [each.against for each in verdict.directions[0].differences] == ["nothing", "training_mean", "shipped"]
    assert verdict.directions[0].contenders[-1].name == "Phantom T1 MR to CT"
    assert "One patient says little" in verdict.sentence


@pytest.mark.usefixtures("nothing_ships")
@pytest.mark.parametrize("direction", [TO_MR, TO_CT], ids=str)
def test_errors_of_known_answers(tmp_path: Path, one_thread: None, direction: Direction):
    folder = run_folder(tmp_path / "run", direction, constant=0.25)
    events, verdict = judged(folder)
    assert verdict is not None and verdict == read_verdict(folder.path)
    [found] = verdict.directions
    assert found.patients == 2 and found.slices == 20
    scale = 1512.0 if direction is TO_CT else 50.0  # of one step in [-1, 1]: half of 3024 HU, half of 100 %
    truths = [[pictures(10 * patient + part, 5) for part in range(2)] for patient in (2, 3)]
    target, source = (1, 0) if direction is TO_MR else (0, 1)
    train = np.concatenate([pictures(10 * p + n, 5)[target][pictures(10 * p + n, 5)[2]] for p in (0, 1) for n in (0, 1)])
    for who, guess in (("own", 0.25), ("nothing", None), ("training_mean", float(train.mean()))):
        [contender] = [each for each in found.contenders if each.who == who]
        for patient, cases in zip(contender.scores, truths, strict=True):
            wanted = np.concatenate([each[target][each[2]] for each in cases])
            given = np.concatenate([each[source][each[2]] for each in cases]) if guess is None else guess
            error = np.abs(wanted - given)
            assert patient.error == pytest.approx(scale * error.mean(), rel=0.01)
            assert patient.psnr_db == pytest.approx(10 * np.log10(4 / np.square(error).mean()), abs=0.1)
    assert {each.against for each in found.differences} == {"nothing", "training_mean"}
    assert any("ships no model" in remark for remark in found.remarks)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].total == 2 and progress[-1].unit == "patients"


@pytest.mark.usefixtures("nothing_ships")
def test_pictures_of_best_and_worst_bear_words_beside_the_anatomy(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_MR, constant=0.25, validation=3)
    _, verdict = judged(folder)
    assert verdict is not None
    best, worst = verdict.directions[0].pictures
    errors = verdict.directions[0].contenders[0].values("error")
    assert (best.error, worst.error) == (min(errors), max(errors))
    assert errors[worst.patient - 1] == worst.error
    picture = np.asarray(Image.open(folder.path / best.file).convert("RGB")).astype(int)
    coloured = np.ptp(picture, axis=2) > 40  # the warning alone is
    assert coloured[-30:].any() and not coloured[30:-30].any()


@pytest.mark.usefixtures("nothing_ships")
def test_asked_to_stop_at_any_question_it_leaves_nothing(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_MR, constant=0.25)
    for question in range(0, 12, 3):
        asked = iter(range(10**6))
        _, verdict = judged(folder, lambda asked=asked, question=question: next(asked) >= question)
        assert verdict is None and not folder.verdict.exists()
    assert read_verdict(folder.path) is None


def test_without_pairs_it_says_so(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_MR, constant=0.25, domains=(Domain.CT,))
    _, verdict = judged(folder)
    assert verdict is not None and verdict.worth_keeping is None and verdict.sentence == NO_PAIRS


@pytest.mark.usefixtures("nothing_ships")
def test_a_model_that_answers_no_numbers_is_not_worth_keeping(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_MR)
    path = next(folder.models.glob("*.safetensors"))
    from ctmri_core.model_file import load_model

    generator, card = load_model(path)
    weights = {name: torch.full_like(each, 3e38) for name, each in generator.state_dict().items()}
    save_model(path, weights, card)
    _, verdict = judged(folder)
    assert verdict is not None
    assert verdict.sentence.startswith("Not worth keeping: Tried answered with values that are no numbers")


@pytest.mark.usefixtures("nothing_ships")
def test_a_verdict_holds_for_the_models_it_was_made_of(tmp_path: Path, one_thread: None):
    folder = run_folder(tmp_path / "run", TO_MR, constant=0.25)
    _, verdict = judged(folder)
    other = run_folder(tmp_path / "other", TO_MR, constant=0.5)
    name = "pix2pix-ct_to_mr_t1.safetensors"
    (folder.models / name).write_bytes((other.models / name).read_bytes())
    assert verdict is not None and read_verdict(folder.path) is None
    folder.verdict.write_text(json.dumps({"format": "ctmri-verdict-1"}))
    with pytest.raises(FileRefused, match="Ask for the verdict again"):
        read_verdict(folder.path)


def test_a_run_without_models_is_told_what_to_do(tmp_path: Path):
    folder = run_folder(tmp_path / "run", TO_MR)
    next(folder.models.glob("*.safetensors")).unlink()
    with pytest.raises(TrainingFailed, match="holds no model yet"):
        judged(folder)


def test_reading_a_verdict_and_an_estimate_loads_no_torch():
    code = "import sys, ctmri_core.training.verdict, ctmri_core.training.estimate, ctmri_core.training.first_lesson"
    assert subprocess.run([sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"], check=False).returncode == 0
