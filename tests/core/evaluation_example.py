"""An evaluation made of random numbers whose statistics are known, with pictures, as `ctmri evaluate` leaves it in a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ctmri_core.evaluation.calibration import agreement, calibration, joint_agreement
from ctmri_core.evaluation.results import (
    PICTURES,
    CasePicture,
    CaseScores,
    Comparison,
    DataTold,
    EvaluatedCase,
    EvaluatedModel,
    Evaluation,
    Kind,
    LabelScore,
    ModelCurves,
    Problem,
    ShownMetric,
    SliceScores,
    Summary,
    write_evaluation,
)
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.statistics.multiplicity import holm
from ctmri_core.statistics.trends import signed_rank

CENTRES = ("north", "south")
MEANS = {"mae": (60.0, 75.0, 68.0, 90.0), "psnr_hu": (30.0, 28.5, 29.0, 27.0), "ssim": (0.92, 0.89, 0.9, 0.85)}
SPREADS = {"mae": 8.0, "psnr_hu": 1.0, "ssim": 0.02}
CYCLE_MEANS = {"mae": 20.0, "psnr_hu": 38.0}
METRICS = (
    ShownMetric(
        key="mae", title="MAE", unit="HU", better="lower", lowest=0, highest=float("inf"), convention="over the mask",
        source="definition", per_slice=True,
    ),
    ShownMetric(
        key="psnr_hu", title="PSNR (SynthRAD)", unit="dB", lowest=float("-inf"), highest=float("inf"),
        convention="HU clipped to [−1024, 3000], data range 4024", source="SynthRAD2023",
    ),
    ShownMetric(
        key="ssim", title="SSIM (uniform 7)", lowest=-1, highest=1, convention="uniform 7 × 7", source="Wang 2004",
        of="mean of slices",
    ),
    ShownMetric(
        key="frechet_distance", title="Fréchet distance of features", better="lower", lowest=0, highest=float("inf"),
        convention="network tiny.onnx, weights 0123abcd", source="Heusel 2017", of="all slices",
    ),
    ShownMetric(
        key="mae", kind="cycle", title="MAE", unit="HU", better="lower", lowest=0, highest=float("inf"),
        convention="over the mask", source="definition",
    ),
    ShownMetric(
        key="psnr_hu", kind="cycle", title="PSNR (SynthRAD)", unit="dB", lowest=float("-inf"), highest=float("inf"),
        convention="data range 4024", source="SynthRAD2023",
    ),
)  # fmt: skip


def example(models: int = 2, cases: int = 24, **changes: Any) -> Evaluation:
    """MR to CT. Every case is a patient; those of even number are of the north. The first model learnt from the last case."""
    random = np.random.default_rng(1)
    difficulty = random.normal(size=cases)
    scores = [
        _scores(random, model, case, difficulty[case - 1], left_out=case == cases > 2)
        for case in range(1, cases + 1)
        for model in range(1, models + 1)
    ]
    told = tuple(
        EvaluatedCase(
            number=number, key=f"{number:016x}", patient=f"{number:08x}", centre=CENTRES[number % 2], shape=(30, 64, 48),
            spacing=(3.0, 1.0, 1.0), voxels=40000,
        )
        for number in range(1, cases + 1)
    )  # fmt: skip
    evaluation = Evaluation(
        made=datetime(2026, 3, 1, 12, 30, tzinfo=UTC), source="mr_t1", target="ct", unit="HU",
        data=DataTold(what="synthetic numbers", side="test"), main_metric="mae",
        conventions=("Scores are inside the body masks.", "Errors are in HU as they are."), metrics=METRICS,
        models=tuple(_model(number, cases) for number in range(1, models + 1)), cases=told, scores=tuple(scores),
        curves=tuple(_curves(random, number) for number in range(1, models + 1)), problems=_problems(cases),
        details={"program_version": "0.1.0", "command": "secret/path/of/patient"},
    )  # fmt: skip
    return evaluation.model_copy(update={"summaries": _summaries(evaluation), "comparisons": _comparisons(evaluation), **changes})


def write_example(
    folder: Path, evaluation: Evaluation, size: tuple[int, int] = (64, 48), which: tuple[str, ...] = ("best", "median", "worst")
) -> Path:
    """With pictures of each model, unless the evaluation has its own."""
    pictures = folder / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    told = evaluation.pictures or tuple(
        _picture(pictures, evaluation, model.number, one, size)
        for model in evaluation.models
        if evaluation.scores_of(model.number)
        for one in which
    )
    write_evaluation(folder, evaluation.model_copy(update={"pictures": told}))
    return folder


def values_of(evaluation: Evaluation, model: int, metric: str, kind: Kind = "translation", centre: str = "") -> list[float]:
    found = []
    for scores in evaluation.scores_of(model):
        value = scores.of(kind).get(metric)
        if scores.counted and value is not None and centre in ("", evaluation.case(scores.case).centre):
            found.append(value)
    return found


def _model(number: int, cases: int) -> EvaluatedModel:
    return EvaluatedModel(
        number=number, name=f"model {'abcdefgh'[number - 1]}", weights_sha256=f"{number}" * 64, method="cyclegan",
        direction="mr_t1_to_ct", trained_on=(cases,) if number == 1 and cases > 2 else (), training_known=True,
        set_scores={"frechet_distance": 10.0 + number},
    )  # fmt: skip


def _scores(random: np.random.Generator, model: int, case: int, difficulty: float, *, left_out: bool) -> CaseScores:
    signs = {"mae": 1, "psnr_hu": -1, "ssim": -1}
    values = {
        key: float(MEANS[key][(model - 1) % 4] + SPREADS[key] * (0.8 * signs[key] * difficulty + 0.6 * random.normal()))
        for key in MEANS
    }
    cycle = {key: float(mean + 0.1 * mean * random.normal()) for key, mean in CYCLE_MEANS.items()}
    labels = (LabelScore(label="femur", dice=0.9 - 0.01 * model, hausdorff_95=2.5),)
    return CaseScores(
        model=model, case=case, values=values, cycle=cycle, labels=labels, worst_slice=case % 30,
        slices=SliceScores(k=(0, 1), values={"mae": (values["mae"] - 1, values["mae"] + 1)}),
        left_out="a model learnt from it" if left_out else "",
    )  # fmt: skip


def _curves(random: np.random.Generator, model: int) -> ModelCurves:
    truth = np.concatenate([random.normal(-900, 60, 4000), random.normal(40, 60, 12000), random.normal(700, 250, 4000)])
    spread = random.uniform(10, 80, truth.size)
    error = random.normal(size=truth.size) * spread * (1 + 0.4 * (model - 1))
    synthetic = truth + 10 * (model - 1) + error
    agreed = joint_agreement([agreement(truth, synthetic, -1000.0, 2000.0, 500.0)])
    return ModelCurves(model=model, calibration=calibration(spread, error), agreement=agreed)


def _problems(cases: int) -> tuple[Problem, ...]:
    if cases <= 2:
        return (Problem(kind="few_patients", message="No test can say anything of so few patients."),)
    learnt = Problem(kind="trained_on", message="The model learnt from it.", case=cases, model=1, left_out=True)
    moved = [Problem(kind="resampled", message="The truth lies on another grid.", case=case, serious=False) for case in (1, 2)]
    return (*moved, learnt, Problem(kind="misaligned", message="Truth and source do not lie on each other.", case=3))


def _summaries(evaluation: Evaluation) -> tuple[Summary, ...]:
    found = []
    for metric in evaluation.metrics:
        for model in evaluation.models if not metric.set_level else ():
            for centre in ("", *CENTRES):
                values = values_of(evaluation, model.number, metric.key, metric.kind, centre)
                if values:
                    found.append(_summary(model.number, metric.key, metric.kind, centre, values))
    for model in evaluation.models:
        for key, values in (("dice:femur", 0.9 - 0.01 * model.number), ("hausdorff_95:femur", 2.5)):
            if counted := sum(scores.counted for scores in evaluation.scores_of(model.number)):
                found.append(_summary(model.number, key, "translation", "", [values] * counted))
    return tuple(found)


def _summary(model: int, metric: str, kind: Kind, centre: str, values: list[float]) -> Summary:
    several = len(values) > 1
    low, high = interval(values) if several else (None, None)
    return Summary(
        model=model, kind=kind, metric=metric, centre=centre, patients=len(values), cases=len(values),
        mean=float(np.mean(values)), sd=float(np.std(values, ddof=1)) if several else None, median=float(np.median(values)),
        low=low, high=high, least=min(values), most=max(values),
    )  # fmt: skip


def _comparisons(evaluation: Evaluation) -> tuple[Comparison, ...]:
    found = []
    numbers = [model.number for model in evaluation.models]
    for metric in (one for one in evaluation.metrics if one.kind == "translation" and not one.set_level):
        for first, second in ((a, b) for a in numbers for b in numbers if a < b):
            apart = np.subtract(*(values_of(evaluation, number, metric.key) for number in (first, second)))
            if len(apart) < 2:
                continue
            low, high = interval(apart)
            lower_wins = metric.better == "lower"
            better = first if (apart.mean() < 0) == lower_wins else second
            found.append(Comparison(
                first=first, second=second, metric=metric.key, patients=len(apart), difference=float(apart.mean()), low=low,
                high=high, p=signed_rank(apart), better=better,
            ))  # fmt: skip
    corrected = holm([one.p for one in found])
    return tuple(one.model_copy(update={"p_holm": p}) for one, p in zip(found, corrected, strict=True))


def _picture(folder: Path, evaluation: Evaluation, model: int, which: Any, size: tuple[int, int]) -> CasePicture:
    """A head in which there is noise."""
    rows, columns = size
    random = np.random.default_rng(model)
    j, i = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    radius = np.hypot(j / 0.9, i / 0.75)
    skull, brain = (radius > 0.85) & (radius < 1), radius < 0.85
    truth = np.where(radius < 1, 90.0, 0) + 120 * skull + 20 * np.sin(6 * i) * brain
    synthetic = truth + random.normal(0, {"best": 4, "median": 9, "worst": 20}[which], truth.shape) * (radius < 1)
    panes = {
        "source": np.where(radius < 0.85, 200 - truth, 10 * (radius < 1)), "synthetic": synthetic, "truth": truth,
        "difference": 4 * np.abs(synthetic - truth),
    }  # fmt: skip
    files = {}
    for part, pane in panes.items():
        files[f"{part}_file"] = f"{PICTURES}/model{model}-{which}-{part}.png"
        Image.fromarray(np.clip(pane, 0, 255).astype(np.uint8)).save(folder / f"model{model}-{which}-{part}.png")
    return CasePicture(
        which=which, model=model, case=1, k=12, error=float(np.abs(synthetic - truth).mean()), source_window=(0.0, 900.0),
        target_window=(-200.0, 600.0), difference=500.0, aspect=1.0, caption=f"The {which} case.", **files,
    )  # fmt: skip
