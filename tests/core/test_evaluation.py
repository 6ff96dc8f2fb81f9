"""Evaluations from the command line to their files, with small models whose answers are known."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from ctmri_core.cli.main import main
from ctmri_core.data.dataset import DatasetCase, DatasetFolder, DatasetIndex
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, FileRefused, WriteFailed
from ctmri_core.evaluation.evaluate import EvaluationOrder, evaluate
from ctmri_core.evaluation.patient_table import patients_of
from ctmri_core.evaluation.results import Evaluation, read_evaluation
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate_as
from ctmri_core.io.saving import save
from ctmri_core.methods.pix2pix.card import CARD as PIX2PIX
from ctmri_core.model_card import ModelCard, TrainingData
from ctmri_core.model_file import load_model, save_model
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import load_method
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.statistics.multiplicity import holm
from ctmri_core.statistics.trends import signed_rank
from ctmri_core.volume import Volume

TO_CT, TO_MR = Direction(Domain.MR_T1, Domain.CT), Direction(Domain.CT, Domain.MR_T1)
CONFIG = PIX2PIX.config.model_validate({"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False})
RECIPE = Recipe(spacing_mm=3.0)
EDGE, SLICES, SALT = 32, 2, "00112233"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small pictures are slower on several."""
    torch.set_num_threads(1)


def model(path: Path, answer: float, direction: Direction = TO_CT, *, learnt: tuple[str, ...] = (), salt: str = SALT) -> Path:
    """Answers nearly `answer` (in [-1, 1]) everywhere; what is left of its weights tells slices apart."""
    torch.manual_seed(0)
    generator = load_method("pix2pix").build_generator(CONFIG, direction)
    weights = generator.state_dict()
    last = [name for name in weights if name.endswith("weight")][-1]
    weights[last].mul_(0.02)
    weights[last.replace("weight", "bias")].fill_(float(np.arctanh(answer)))
    data = (TrainingData(what="tests", licence="none", cases=len(learnt), salt=salt, fingerprints=learnt),) if learnt else ()
    card = ModelCard(
        name=path.stem, method="pix2pix", config=CONFIG.told(), direction=direction, recipe=RECIPE, body_region="head",
        training_data=data, created=datetime.now(UTC),
    )  # fmt: skip
    save_model(path, weights, card)
    return path


def pictures(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(CT, MR, body) as the recipe scales them."""
    random = np.random.default_rng(seed)
    body = np.zeros((SLICES, EDGE, EDGE), np.bool_)
    body[:, 5:27, 6:26] = True
    ct = np.where(body, random.normal(-0.3 + 0.02 * seed, 0.1, body.shape), -1).astype(np.float16)
    return ct, np.where(body, -ct, -1).astype(np.float16), body


def print_of(patient: int) -> str:
    return f"{patient:016x}"


def dataset(folder: Path, patients: int = 7) -> Path:
    """One case for each patient, of two centres; patient 0 was learnt from."""
    folder.mkdir(parents=True)
    cases = []
    for patient in range(patients):
        ct, mr, body = pictures(patient)
        file = f"{patient:016x}-{print_of(patient)}.npy"
        np.save(folder / file, np.stack([ct, mr, body], 1).astype(np.float16))
        cases.append(DatasetCase(
            key=f"{patient:016x}", patient=f"{patient:016x}", file=file, fingerprint=print_of(patient),
            domains=(Domain.CT, Domain.MR_T1), backgrounds=(-1.0, -1.0), pictures=SLICES, slice_mm=3.0,
            centre="B" if patient % 2 else "A", side="test" if patient else "train",
        ))  # fmt: skip
    both = (Domain.CT, Domain.MR_T1)
    index = DatasetIndex(made_from={}, salt=SALT, recipe=RECIPE, domains=both, complete=True, cases=tuple(cases))
    DatasetFolder(folder).finish(index)
    return folder


def ctmri(*words: object, report: bool = False) -> int:
    """Without the report unless it is wanted: drawing it takes longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        if not report:
            patch.setattr("ctmri_core.evaluation.report.write_report", lambda folder: folder / "report.html")
        return main(["evaluate", *map(str, words)])


def test_two_models_on_held_out_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, out = dataset(tmp_path / "data"), tmp_path / "out"
    near, far = model(tmp_path / "near.safetensors", -0.25), model(tmp_path / "far.safetensors", 0.3)
    assert ctmri("--model", near, "--model", far, "--data", data, "--output", out, "--back", _back(tmp_path), report=True) == 0
    assert (out / "report.html").stat().st_size > 10_000
    text, found = capsys.readouterr().out, read_evaluation(out)
    assert found.finished and [one.name for one in found.models] == ["near", "far"] and len(found.cases) == 6
    for scores, patient in zip(found.scores_of(1), range(1, 7), strict=True):
        ct, _, body = pictures(patient)
        hu = 1512.0 * (ct.astype(np.float32) + 1) - 1024
        wanted = np.abs(hu - (1512.0 * 0.75 - 1024))[body].mean()
        assert scores.values["mae"] == pytest.approx(wanted, abs=25)  # the answer is nearly constant
        assert scores.slices.k == (0, 1) and scores.seconds is not None
    per_patient = [[one.values["mae"] or 0 for one in found.scores_of(n)] for n in (1, 2)]
    summary = found.summary(1, "mae")
    assert summary is not None and (summary.patients, summary.mean) == (6, pytest.approx(np.mean(per_patient[0])))
    assert (summary.low, summary.high) == pytest.approx(interval(per_patient[0]))
    assert found.centres == ("A", "B") and found.summary(2, "mae", centre="B") is not None
    test = next(one for one in found.comparisons if one.metric == "mae" and one.kind == "translation")
    assert test.better == 1 and test.p == pytest.approx(signed_rank(np.subtract(*per_patient)))
    own = [one for one in found.comparisons if one.kind == "translation"]
    assert [one.p_holm for one in own] == pytest.approx(holm([one.p for one in own]))
    _check_tables(out, found, text)


def _back(folder: Path) -> Path:
    return model(folder / "back.safetensors", 0.1, TO_MR)


def _check_tables(out: Path, found: Evaluation, text: str) -> None:
    """Cycles stand apart, conventions above all, pictures beside."""
    order = [text.index(words) for words in ("prepared slices", "MAE", "Cycles: source against source", "Peak SSIM")]
    assert order == sorted(order)
    assert found.metric("ssim_peak", "cycle") is not None and found.metric("ssim_peak") is None
    for name in ("slices", "cases", "summary", "comparisons"):
        for begin in ("", "cycle_"):
            lines = (out / f"{begin}{name}.csv").read_text("utf-8").splitlines()
            head = [line for line in lines if line.startswith("# ")]
            assert len(head) == len(found.conventions)
            assert len(list(csv.DictReader(io.StringIO("\n".join(lines[len(head):]))))) > 0
    cases = (out / "cases.csv").read_text("utf-8")
    assert "ssim_peak" not in cases and "ssim_peak" in (out / "cycle_cases.csv").read_text("utf-8")
    lines = [line for line in cases.splitlines() if not line.startswith("# ")]
    worst = [int(row["worst_slice"]) for row in csv.DictReader(lines)]
    assert worst == [(one.worst_slice or 0) + 1 for one in found.scores], "slices count from 1, as on screens"
    assert all(one.caption.endswith(f"its worst slice, {one.k + 1}") for one in found.pictures)
    assert {(one.model, one.which) for one in found.pictures} == {(m, w) for m in (1, 2) for w in ("best", "median", "worst")}
    for one in found.pictures:
        for file in (one.source_file, one.synthetic_file, one.truth_file, one.difference_file):
            assert (out / file).stat().st_size > 60
    assert any(problem.kind == "not_scored" and "SynthRAD2023" in problem.message for problem in found.problems)


def test_what_is_scored_is_not_scored_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data, first = dataset(tmp_path / "data", 4), model(tmp_path / "first.safetensors", -0.25)
    order = EvaluationOrder(tmp_path / "out", models=(first,), data=str(data))
    whole = finish(evaluate(order))
    assert whole is not None and whole.summary(1, "mae") is not None
    assert whole.details["precision"] == "float32" and whole.details["device"] in ("cpu", "cuda")

    def never_called(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr("ctmri_core.evaluation.one_case.translate_as", never_called)
        again = finish(evaluate(order))
        assert again is not None and again.scores == whole.scores and again.summaries == whole.summaries
        index = DatasetFolder(data).read()
        fewer = tuple(case.model_copy(update={"chosen": (1,)}) for case in index.cases)
        DatasetFolder(data).finish(index.model_copy(update={"cases": fewer}))
        with pytest.raises(AssertionError):
            finish(evaluate(order))
        DatasetFolder(data).finish(index)
        other = model(tmp_path / "first.safetensors", -0.1)
        with pytest.raises(AssertionError):
            finish(evaluate(EvaluationOrder(tmp_path / "out", models=(other,), data=str(data))))


def test_a_stop_keeps_what_is_finished(tmp_path: Path):
    data, first = dataset(tmp_path / "data", 4), model(tmp_path / "first.safetensors", -0.25)
    out = tmp_path / "out"

    def stopped_after_one() -> bool:
        return len(list((out / "scores").glob("*.json"))) > 0

    assert finish(evaluate(EvaluationOrder(out, models=(first,), data=str(data)), stopped_after_one)) is None
    assert not (out / "evaluation.json").exists() and stopped_after_one()
    order = EvaluationOrder(out, models=(first,), data=str(data), keep_unfinished=True)
    kept = finish(evaluate(order, stopped_after_one))
    assert kept is not None and not kept.finished and len([one for one in kept.scores if one.counted]) == 1
    whole = finish(evaluate(order))
    assert whole is not None and whole.finished and len(whole.scores) == 3 and whole.scores[0] == kept.scores[0]


def test_nothing_of_an_earlier_evaluation_lies_beside_a_newer_one(tmp_path: Path):
    data, first = dataset(tmp_path / "data", 2), model(tmp_path / "first.safetensors", -0.25)
    out = tmp_path / "out"
    order = EvaluationOrder(out, models=(first,), data=str(data), metrics=("mae",))
    assert finish(evaluate(order)) is not None
    earlier = [out / name for name in ("report.html", "cycle_cases.csv", "pictures/model9-best-truth.png")]
    for path in (*earlier, out / "report.pdf"):
        path.write_text("of an earlier one")
    assert finish(evaluate(order)) is not None
    assert not any(path.exists() for path in earlier) and (out / "report.pdf").exists()
    (out / "cases.csv").unlink()
    (out / "cases.csv").mkdir()
    with pytest.raises(WriteFailed):
        finish(evaluate(order))
    assert not (out / "evaluation.json").exists(), "not beside tables of another one"
    with pytest.raises(WriteFailed, match=r"^first.safetensors is a file. Name a folder"):
        finish(evaluate(replace(order, output=first)))


def test_training_patients_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, out = dataset(tmp_path / "data", 4), tmp_path / "out"
    learnt = model(tmp_path / "learnt.safetensors", -0.25, learnt=(print_of(0), print_of(2)))
    fresh = model(tmp_path / "fresh.safetensors", -0.2)
    assert ctmri("--model", learnt, "--model", fresh, "--data", data, "--split", "all", "--output", out) == 0
    found = read_evaluation(out)
    assert found.models[0].trained_on == (1, 3) and found.models[0].training_known and not found.models[1].training_known
    for number in (1, 2):  # models are compared on the same patients
        summary = found.summary(number, "mae")
        assert summary is not None and summary.patients == 2
    assert {one.case for one in found.scores if one.left_out == "learnt learnt from it"} == {1, 3}
    assert "learnt learnt from this case, which is left out" in capsys.readouterr().out
    assert ctmri("--model", learnt, "--data", data, "--split", "all", "--output", out, "--even-trained-on") == 0
    marked = read_evaluation(out)
    summary = marked.summary(1, "mae")
    assert summary is not None and summary.patients == 4
    assert len([one for one in marked.problems if one.kind == "trained_on" and one.serious and not one.left_out]) == 2
    assert ctmri("--model", learnt, "--data", data, "--split", "train", "--output", tmp_path / "none") == 1
    elsewhere = model(tmp_path / "elsewhere.safetensors", 0.1, learnt=(print_of(1),), salt="other")
    assert ctmri("--model", elsewhere, "--data", data, "--output", tmp_path / "o2") == 0
    assert any("prepared elsewhere" in one.message for one in read_evaluation(tmp_path / "o2").problems)


def scans(folder: Path, count: int = 3) -> Path:
    """SynthRAD-like patients with CT, T1 and mask as volumes."""
    for patient in range(count):
        ct, mr, body = (np.repeat(image, 4, axis=0) for image in pictures(patient))
        grid = Geometry(ct.shape, (3.0, 3.0, 3.0))
        place = folder / f"p{patient}"
        hu = (1512 * (ct.astype(np.float32) + 1) - 1024).astype(np.int16)
        _save(hu, grid, Domain.CT, place / "ct.nii.gz")
        _save(500 * (mr.astype(np.float32) + 1), grid, Domain.MR_T1, place / "mr_t1.nii.gz")
        _save(body.astype(np.int16), grid, Domain.UNKNOWN, place / "mask.nii.gz")
    return folder


def _save(voxels: np.ndarray, grid: Geometry, domain: Domain, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    finish(save(Volume(np.ascontiguousarray(voxels), grid, domain), path))


def test_finished_pictures_are_matched_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    truth = scans(tmp_path / "scans", 4)
    for name, error in (("mine", 30), ("theirs", 50)):
        for patient in range(4):
            ct, _, _ = (np.repeat(image, 4, axis=0) for image in pictures(patient))
            hu = (1512 * (ct.astype(np.float32) + 1) - 1024).astype(np.int16)
            if (name, patient) != ("theirs", 3):
                made = (hu + error).astype(np.int16)
                _save(made, Geometry(hu.shape, (3.0, 3.0, 3.0)), Domain.CT, tmp_path / name / f"p{patient}_synthetic_ct.nii.gz")
    shutil.copy(truth / "p2" / "ct.nii.gz", tmp_path / "mine" / "p2_synthetic_ct.nii.gz")
    words = ("--truth", truth, "--masks", truth, "--sources", truth, "--direction", "mr_t1_to_ct", "--workers", 0)
    status = ctmri("--predictions", tmp_path / "mine", "--predictions", tmp_path / "theirs", *words, "--output", tmp_path / "out")
    found, text = read_evaluation(tmp_path / "out"), capsys.readouterr().out
    kinds = {(one.kind, one.case, one.model) for one in found.problems if one.left_out}
    assert status == 0 and ("swapped", 3, 1) in kinds and ("missing", 4, 2) in kinds, found.problems
    assert sum(one.kind == "swapped" for one in found.problems) == 1, "said once"
    for number, error in ((1, 30), (2, 50)):
        summary = found.summary(number, "mae")
        assert summary is not None and (summary.patients, summary.mean) == (2, pytest.approx(error))
        assert found.summary(number, "bias").mean == pytest.approx(error)
    assert "body masks that come with the data" in text
    assert "p2" not in text.replace(str(tmp_path), "") and "p2" not in (tmp_path / "out" / "cases.csv").read_text("utf-8")
    assert all(one.name == "" for one in found.cases)


def learnt_from(scans_folder: Path, folder: Path, side: str) -> tuple[Path, int]:
    """A model whose card tells the prints of one side of scans, as training on them prepared would write it; of how many."""
    words = ("--validation-share", "0.4", "--test-share", "0.2", "--out", str(folder / "prepared"))
    assert main(["prepare", str(scans_folder), *words]) == 0
    index = DatasetFolder(folder / "prepared").read()
    prints = tuple(case.fingerprint for case in index.cases if case.side == side)
    return model(folder / "learnt.safetensors", -0.2, learnt=prints, salt=index.salt), len(prints)


def test_scans_that_were_learnt_from_are_known_by_their_voxels(tmp_path: Path):
    folder = scans(tmp_path / "scans", 5)
    learnt, count = learnt_from(folder, tmp_path, "train")
    words = ("--data", folder, "--validation-share", "0.4", "--test-share", "0.2", "--workers", 0, "--metrics", "mae")
    assert ctmri("--model", learnt, *words, "--split", "all", "--output", tmp_path / "all") == 0
    found = read_evaluation(tmp_path / "all")
    assert len(found.models[0].trained_on) == count == 2
    summary = found.summary(1, "mae")
    assert summary is not None and summary.patients == 3
    assert ctmri("--model", learnt, *words, "--split", "train", "--output", tmp_path / "train") == 1
    for patient in range(5):
        _save(_apart(patient, 40), GRID, Domain.CT, tmp_path / "made" / f"p{patient}_ct.nii.gz")
    pictures_words = ("--predictions", tmp_path / "made", "--truth", folder, "--sources", folder, "--direction", "mr_t1_to_ct")
    assert ctmri(*pictures_words, "--made-by", learnt, "--output", tmp_path / "o3", "--metrics", "mae", "--workers", 0) == 0
    [told] = read_evaluation(tmp_path / "o3").models
    assert told.trained_on == found.models[0].trained_on and told.pictures and told.name == "pictures of learnt"


GRID = Geometry((4 * SLICES, EDGE, EDGE), (3.0, 3.0, 3.0))


def _apart(patient: int, error: float) -> np.ndarray:
    """The CT of `scans`, with an error."""
    return (1512 * (np.repeat(pictures(patient)[0], 4, axis=0).astype(np.float32) + 1) - 1024 + error).astype(np.int16)


def test_a_table_says_whose_the_cases_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    truth, table = scans(tmp_path / "scans", 4), tmp_path / "patients.csv"
    for patient, error in enumerate((10, 30, 40, 50)):
        _save(_apart(patient, error), GRID, Domain.CT, tmp_path / "made" / f"p{patient}_ct.nii.gz")
    words = ("--predictions", tmp_path / "made", "--truth", truth, "--direction", "mr_t1_to_ct", "--metrics", "mae")
    table.write_text("case,patient,centre\nP0,anna,north\np1,anna,north\np2,ben,south\np3,cleo,south\n", "utf-8")
    assert ctmri(*words, "--patients", table, "--output", tmp_path / "out") == 0
    found = read_evaluation(tmp_path / "out")
    summary = found.summary(1, "mae")
    assert summary is not None and (summary.patients, summary.cases) == (3, 4)
    assert summary.mean == pytest.approx((20 + 40 + 50) / 3, abs=0.3) and found.centres == ("north", "south")
    assert "anna" not in (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert "(--made-by)" in capsys.readouterr().out
    cases, whose = [f"p{n}" for n in range(4)], table.read_text("utf-8")
    known = patients_of(cases, table)
    for sign in ";\t":
        table.write_text(whose.replace(",", sign), "utf-8")
        assert patients_of(cases, table) == known, "as spreadsheets of other countries write them"
    for text, said in (
        ("case,patient\np1,anna\n", "lacks 3 of 4 cases"), ("name,who\np1,anna\n", "names no case or no patient in line 2"),
        ("case,patient\np1,anna\np1,ben\n", "two things, again in line 3"), (b"\xff\xfe", "no CSV table in UTF-8"),
    ):
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert ctmri(*words, "--patients", table, "--output", tmp_path / "out") == 1
        assert said in capsys.readouterr().err


def test_what_changes_in_place_is_scored_anew(tmp_path: Path):
    truth = scans(tmp_path / "scans", 1)
    grid, labels = Geometry((8, EDGE, EDGE), (3.0, 3.0, 3.0)), np.zeros((8, EDGE, EDGE), np.int16)
    labels[:, 10:20, 10:20] = 1
    made = (1512 * (np.repeat(pictures(0)[0], 4, axis=0).astype(np.float32) + 1) - 1000).astype(np.int16)
    _save(made, grid, Domain.CT, tmp_path / "made" / "p0_ct.nii.gz")
    for folder in ("labels", "own"):
        _save(labels, grid, Domain.UNKNOWN, tmp_path / folder / "p0_seg.nii.gz")
    words = {"truth": truth, "labels": tmp_path / "labels", "predicted_labels": (tmp_path / "own",), "direction": TO_CT}
    order = EvaluationOrder(tmp_path / "out", predictions=(tmp_path / "made",), workers=0, **words)  # type: ignore[arg-type]  # by the names of an order

    def dice() -> list[float | None]:
        found = finish(evaluate(order))
        assert found is not None
        return [one.dice for one in found.scores[0].labels if one.label == "1"]

    assert dice() == [1.0]
    _save(np.roll(labels, 5, axis=2), grid, Domain.UNKNOWN, tmp_path / "own" / "p0_seg.nii.gz")
    assert dice() == [0.5]


def test_a_collection_is_split_as_it_would_be_prepared(tmp_path: Path):
    folder, first = scans(tmp_path / "scans", 5), model(tmp_path / "first.safetensors", -0.25)
    words = ("--data", folder, "--test-share", "0.4", "--validation-share", "0.2", "--names", "--workers", 0)
    assert ctmri("--model", first, *words, "--output", tmp_path / "out") == 0
    found = read_evaluation(tmp_path / "out")
    assert len(found.cases) == 2 and all(one.name.startswith("p") for one in found.cases) and not found.data.prepared
    assert found.summary(1, "ssim_2023") is not None  # eight slices


def test_orders_that_make_no_sense_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, first = dataset(tmp_path / "data", 3), model(tmp_path / "first.safetensors", 0.1)
    out = tmp_path / "out"
    for words, said in (
        (("--data", data), "Evaluate either models"),
        (("--model", first), "Models are evaluated on data"),
        (("--model", first, "--data", data, "--split", "validation"), "no validation patients; they have train 1, test 2"),
        (("--model", first, "--model", _back(tmp_path), "--data", data), "cannot stand side by side"),
        (("--model", first, "--data", data, "--metrics", "ssimm"), "Did you mean ssim"),
        (("--model", first, "--data", data, "--back", first), "cycle scores need a model for CT → T1 MR"),
        (("--predictions", data, "--truth", data, "--direction", "mr_t1_to_ct"), "No prediction has the name of a truth"),
        (("--model", first, "--data", data, "--samples", "4"), "--samples goes with --uncertainty"),
    ):
        assert ctmri(*words, "--output", out) == 1
        assert said in capsys.readouterr().err
    with pytest.raises(CtmriError, match="--made-by"):
        EvaluationOrder(out, predictions=(data, first), truth=data, made_by=(first,))
    with pytest.raises(CtmriError, match="goes with finished pictures"):
        EvaluationOrder(out, models=(first,), data="x", patients=first)
    with pytest.raises(CtmriError, match="named twice"):
        EvaluationOrder(out, models=(first, first), data="x")
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(FileRefused, match="no evaluation"):
        read_evaluation(tmp_path)


def test_uncertainty_is_held_against_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, first = dataset(tmp_path / "data", 3), model(tmp_path / "first.safetensors", -0.25)
    words = ("--uncertainty", "mirrored", "--samples", "3")
    assert ctmri("--model", first, "--data", data, "--output", tmp_path / "out", *words) == 0
    found = read_evaluation(tmp_path / "out")
    [curves] = found.curves
    assert curves.calibration is not None and curves.agreement is not None
    assert "rank correlation of spread and error" in capsys.readouterr().out
    wanted = [_by_hand(first, patient) for patient in (1, 2)]
    for scores, (spread, error) in zip(found.scores, wanted, strict=True):
        assert scores.calibration is not None
        tenths = np.array_split(np.argsort(spread, kind="stable"), 10)
        points = [(one.spread, one.error) for one in scores.calibration.points]
        assert points == [pytest.approx([np.sqrt(np.mean(x[part] ** 2)) for x in (spread, error)], rel=0.02) for part in tenths]
        assert scores.calibration.inside[0] == pytest.approx(np.mean(np.abs(error) <= spread), abs=0.02)
        assert scores.calibration.correlation == pytest.approx(spearmanr(spread, np.abs(error)).statistic, abs=0.02)


def _by_hand(path: Path, patient: int) -> tuple[np.ndarray, np.ndarray]:
    """Spread and error (HU) inside the body, of the three answers that mirrored slices give."""
    ct, mr, body = pictures(patient)
    grid = Geometry(mr.shape, (3.0, 3.0, 3.0))
    source = Volume(RECIPE.to_nominal(mr, Domain.MR_T1), grid, Domain.MR_T1)
    made = finish(translate_as(source, load_model(path), Order(doubt="mirrored", samples=3)))
    assert made is not None and made.uncertainty is not None
    hu = RECIPE.to_nominal(ct, Domain.CT)
    return made.uncertainty.values[body].astype(np.float64), (made.volume.voxels - hu)[body].astype(np.float64)
