"""Thousands of planted identifiers on their way through opening, saving, conversion and the command line: none is left."""

from __future__ import annotations

import io
import logging
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctmri_core.cli import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, WriteFailed
from ctmri_core.events import finish, to_json
from ctmri_core.io import opening
from ctmri_core.io.report import describe
from ctmri_core.io.saving import save
from ctmri_core.volume import Synthetic, Volume
from tests.hostile.identifiers import Planted, contents_of, leaks, plant_files, plant_refused, plant_series

TARGETS = {
    "a.nii.gz": {}, "a.mha": {}, "a.nrrd": {}, "pictures": {"slices": "png"}, "series": {"slices": "dicom"},
}  # fmt: skip
VARIANTS = [("MR", False), ("CT", True)]


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda variant: f"{variant[0]}{', encapsulated' if variant[1] else ''}")
def planted(request, tmp_path_factory) -> Planted:
    modality, encapsulated = request.param
    return plant_series(tmp_path_factory.mktemp("planted"), modality=modality, encapsulated=encapsulated)


@pytest.fixture
def logged():
    """Everything that any library logs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def _saved(volume: Volume, target: Path, **options) -> str:
    """All that is said and all temporary names while `volume` is saved."""
    seen = []
    for event in save(volume, target, **options):
        seen.append(to_json(event))
        seen += [path.name for path in target.parent.rglob("*")]
    return "\n".join(seen)


def _synthetic(volume: Volume) -> Volume:
    domain = Domain.MR_T1 if volume.domain is Domain.CT else Domain.CT
    return replace(volume, domain=domain, synthetic=Synthetic("demo", "ab" * 32), name=f"Synthetic of {volume.name}")


def test_the_generator_plants_what_it_says(planted):
    assert len(planted.tokens) > 3000
    assert leaks(planted.tokens | planted.names, *contents_of(planted.path)) >= {token.lower() for token in planted.tokens}


@pytest.mark.parametrize("made", [False, True], ids=["acquired", "synthetic"])
def test_none_is_left_in_what_is_given_away(planted, made, tmp_path, logged):
    source = opening.open_volume(planted.path)
    volume = _synthetic(source) if made else source
    for name, options in TARGETS.items():
        said = _saved(volume, tmp_path / name, source=source if made else None, deidentify=True, **options)
        assert leaks(planted.tokens | planted.names, said) == set()
    assert leaks(planted.tokens | planted.names, *contents_of(tmp_path)) == set()
    assert leaks(planted.tokens | planted.names, logged.getvalue()) == set()


@pytest.mark.parametrize("made", [False, True], ids=["acquired", "synthetic"])
def test_an_ordinary_series_holds_those_of_the_allow_list_alone(planted, made, tmp_path, logged):
    source = opening.open_volume(planted.path)
    volume = _synthetic(source) if made else source
    origin = source.dicom
    record = {origin.study_uid, origin.series_uid, origin.frame_of_reference_uid} if made else set()
    for name, options in TARGETS.items():
        said = _saved(volume, tmp_path / name, source=source if made else None, **options)
        assert leaks(planted.tokens | planted.names, said, logged.getvalue()) == set()
        left = leaks(planted.tokens | planted.names, *contents_of(tmp_path / name))
        kept = {"series": {token.lower() for token in planted.allowed}, "pictures": record}
        assert left == kept.get(name, set())
        sidecar = tmp_path / f"{name}.provenance.json"
        assert leaks(planted.tokens | planted.names, *contents_of(sidecar)) == (record if sidecar.exists() else set())


def test_none_is_said_about_a_series(planted):
    (series,) = opening.scan(planted.path)
    volume = opening.open_volume(planted.path)
    said = [repr(series), repr(volume), repr(describe(series, volume)), series.label, volume.name, str(volume.history)]
    assert leaks(planted.tokens, *said) == set()


def test_none_is_left_of_the_words_in_other_files(tmp_path, logged):
    for planted in plant_files(tmp_path / "in"):
        (series,) = opening.scan(planted.path)
        volume = opening.open_volume(planted.path)
        shown = repr(series), repr(describe(series, volume)), volume.name, str(volume.findings), str(volume.history)
        assert leaks(planted.tokens, *shown) == set()
        volume = replace(volume, domain=Domain.CT)
        for name, options in TARGETS.items():
            for deidentify in (False, True):
                folder = tmp_path / planted.path.name / str(deidentify)
                said = _saved(volume, folder / name, deidentify=deidentify, **options)
                assert leaks(planted.tokens | planted.names, said, logged.getvalue(), *contents_of(folder / name)) == set()


@pytest.mark.parametrize("number", range(18))
def test_none_is_quoted_when_a_file_is_refused(tmp_path, number, logged):
    planted = plant_refused(tmp_path)[number]
    said = []
    try:
        series = opening.scan(planted.path)
        said += [str(each) + str(describe(each, None)) for each in series]
        for each in series:
            said += [to_json(event) for event in opening.load(each)]
        volume = opening.open_volume(planted.path)
        said += [str(volume), str(volume.findings), str(volume.history)]
        said.append(_saved(volume, tmp_path / "out" / "series", deidentify=True))
        said += [content.decode("latin-1") for content in contents_of(tmp_path / "out")]
    except CtmriError as refusal:
        said += [str(refusal), repr(refusal)]
    assert leaks(planted.tokens, *said, logged.getvalue()) == set()


def test_errors_of_writing_name_the_target_alone(planted, tmp_path):
    volume = opening.open_volume(planted.path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    targets = [tmp_path / "full", tmp_path / "a.jpg", tmp_path / "full" / "x" / "a.nii"]
    for target in targets:
        with pytest.raises(WriteFailed) as refused:
            finish(save(volume, target))
        assert leaks(planted.tokens | planted.names, str(refused.value)) == set()


def test_none_is_printed_by_the_command_line(tmp_path, logged):
    planted = plant_series(tmp_path / "in")
    commands = [
        ["info", str(planted.path)], ["info", str(planted.path), "--json", "--values"],
        ["convert", str(planted.path), "--output", str(tmp_path / "out" / "a.nii.gz"), "--json"],
        ["convert", str(planted.path), "--output", str(tmp_path / "out" / "b"), "--deidentify"],
        ["convert", str(planted.path), "--output", str(tmp_path / "out" / "c"), "--deidentify", "--slices", "png", "--json"],
        ["convert", str(planted.path), "--output", str(tmp_path / "out" / "a.nii.gz")],
    ]  # fmt: skip
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        statuses = [main(command) for command in commands]
    assert statuses == [0, 0, 0, 0, 0, 1]
    assert leaks(planted.tokens, out.getvalue(), err.getvalue(), logged.getvalue()) == set()
    assert leaks(planted.tokens | planted.names, *contents_of(tmp_path / "out")) == set()


def test_none_survives_a_translation(tmp_path, monkeypatch, capfd):
    torch = pytest.importorskip("torch")
    from ctmri_core.methods.pix2pix.card import Pix2PixConfig
    from ctmri_core.methods.pix2pix.method import Pix2Pix
    from ctmri_core.model_card import ModelCard
    from ctmri_core.model_file import save_model
    from ctmri_core.preprocess.recipe import Recipe

    direction = Direction(Domain.CT, Domain.MR_T1)
    config = Pix2PixConfig(generator="resnet_6", width=4, norm="instance", dropout=False)
    torch.manual_seed(0)
    card = ModelCard(
        name="tiny", method="pix2pix", config=config.model_dump(mode="json"), direction=direction,
        recipe=Recipe(spacing_mm=1.5), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    (tmp_path / "models").mkdir()
    save_model(tmp_path / "models" / "tiny.safetensors", Pix2Pix(config, direction).generator(direction).state_dict(), card)
    planted = plant_series(tmp_path / "in")
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(tmp_path / "models"))
    command = ["translate", str(planted.path), "--model", "tiny", "--json", "--device", "cpu"]
    status = main([*command, "--output", str(tmp_path / "out" / "a"), "--deidentify"])
    out, err = capfd.readouterr()
    assert status == 0, out
    assert leaks(planted.tokens, out, err) == set()
    assert leaks(planted.tokens | planted.names, *contents_of(tmp_path / "out")) == set()
    assert "burned" in out and "photograph" in out
