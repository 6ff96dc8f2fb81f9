"""Models that learnt from data for non-commercial use: known by their cards, chosen for people, to be hidden, never silent."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
import torch

from ctmri_core import cli
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused
from ctmri_core.evaluation.evaluated_models import Contender
from ctmri_core.events import finish, never
from ctmri_core.inference.model_choice import chosen_model
from ctmri_core.inference.order import Order
from ctmri_core.inference.translate import translate, translate_as
from ctmri_core.io.header_view import volume_header
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.model_card import (
    ModelCard,
    Origin,
    TrainingData,
    choose_model,
    find_model,
    list_models,
    model_back,
    offered_models,
    read_card,
    shipped_hashes,
)
from ctmri_core.model_card.terms import hide_noncommercial, hides_noncommercial, remember_said, terms_of, unsaid_terms
from ctmri_core.model_file import load_model, save_model
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator, find_card
from ctmri_core.resources_folder import model_folders, noncommercial_folder, resources_folder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer
from tests.core.known_models import RESNET, scan
from tests.teaching.outliner import ct, outliner

HEADS = TrainingData(what="digital heads", licence="Apache-2.0, as the program", cases=3, phantom=True)
CREDIT = "A. Maker and others, doi 10.1/2, creativecommons.org/licenses/by-nc/4.0"
PEOPLE = TrainingData(what="slices of people", licence="CC BY-NC 4.0", credit=CREDIT, cases=120)
WAYS = [Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT)]


def card(way=WAYS[0], data=(PEOPLE,), **more) -> ModelCard:
    fields = {"name": "Of people", "method": "pix2pix", "config": RESNET, "recipe": Recipe(spacing_mm=None)} | more
    return ModelCard(direction=way, training_data=data, body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC), **fields)


def write(path: Path, of: ModelCard) -> Path:
    """With random weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(len(path.name))
    save_model(path, build_generator(of).state_dict(), of)
    return path


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Phantom models that ship, and models of people in a folder of their own."""
    folder = tmp_path / "resources"
    for way in WAYS:
        write(folder / "models" / f"phantom_{way}.safetensors", card(way, (HEADS,), name=f"Phantom {way}", demo=True))
        write(folder / "models" / "noncommercial" / f"people_{way}.safetensors", card(way, name=f"People {way}"))
    (folder / "models" / "noncommercial" / "NOTICE").write_text("Made of slices by their creators.\n", encoding="utf-8")
    monkeypatch.setattr("ctmri_core.resources_folder.resources_folder", lambda: folder)
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(tmp_path / "own"))
    shipped_hashes.cache_clear()
    yield folder
    shipped_hashes.cache_clear()


@pytest.mark.parametrize(
    ("licence", "forbidden"),
    [
        ("CC BY-NC 4.0", True), ("CC-BY-NC-SA-4.0", True), ("non-commercial research", True), ("Noncommercial", True),
        ("research use only", True), ("Research only", True), ("CC BY 4.0", False), ("Apache-2.0", False), ("not stated", False),
        ("NCSA Open Source", False), ("PDDL 1.0; CC BY 4.0", False), ("public use with credit", False),
    ],
)  # fmt: skip
def test_a_licence_tells_whether_it_forbids_commerce(licence, forbidden):
    assert card(data=(HEADS, PEOPLE.model_copy(update={"licence": licence}))).noncommercial is forbidden
    by_others = Origin(file="a.pth", sha256="0" * 64, layout="a U-Net", licence=licence)
    assert card(data=(), origin=by_others).noncommercial is forbidden


def test_people_get_models_of_people_and_phantoms_those_of_phantoms(resources):
    real, phantom = scan(), replace(scan(), phantom=True)
    assert chosen_model(real, Domain.CT, model_folders()).name == "people_ct_to_mr_t1.safetensors"
    assert chosen_model(phantom, Domain.CT, model_folders()).name == "phantom_ct_to_mr_t1.safetensors"
    assert choose_model(WAYS[1], model_folders()).name == "people_mr_t1_to_ct.safetensors"
    for kind in ("people", "phantom"):
        there = find_model(f"{kind}_ct_to_mr_t1", model_folders())
        assert model_back(there, model_folders()).name == f"{kind}_mr_t1_to_ct.safetensors"


def test_the_program_works_where_the_folder_is_absent(resources):
    shutil.rmtree(noncommercial_folder())
    assert chosen_model(scan(), Domain.CT, model_folders()).name == "phantom_ct_to_mr_t1.safetensors"
    there = {entry.card.weights_sha256 for entry in offered_models(model_folders()) if entry.card}
    assert shipped_hashes() == there and read_card(find_model("phantom_mr_t1_to_ct", model_folders())).weights_sha256 in there


def test_shipped_models_lie_where_their_licences_belong():
    for folder, forbidden in ((resources_folder() / "models", False), (noncommercial_folder(), True)):
        cards = [entry.card for entry in list_models([folder])]
        assert all(card is not None and card.noncommercial is forbidden and all(card.licences) for card in cards)
        assert not any("windowed" in data.what.lower() for card in cards if card for data in card.training_data)
    there = {path.name for path in noncommercial_folder().glob("*")}
    assert not there or {"LICENSE", "NOTICE"} <= there


def test_both_folders_came_with_the_program(resources):
    people = find_model("people_ct_to_mr_t1", model_folders())
    assert read_card(people).weights_sha256 in shipped_hashes()


def test_hidden_models_are_neither_chosen_nor_found_by_name(resources, tmp_path):
    tuned = write(tmp_path / "own" / "tuned.safetensors", card(data=(HEADS, PEOPLE), name="Tuned"))
    hide_noncommercial(True)
    assert hides_noncommercial()
    assert {entry.path.name for entry in offered_models(model_folders())} == {f"phantom_{way}.safetensors" for way in WAYS}
    assert chosen_model(scan(), Domain.CT, model_folders()).name == "phantom_ct_to_mr_t1.safetensors"
    for name in ("Tuned", "people_ct_to_mr_t1"):
        with pytest.raises(ModelRefused, match=f"'{name}' is hidden, .*terms --show"):
            find_model(name, model_folders())
    with pytest.raises(ModelRefused, match="no model called 'Else'"):
        find_model("Else", model_folders())
    assert find_model(tuned, model_folders()) == tuned  # whoever names a file means it
    hide_noncommercial(False)
    assert len(offered_models(model_folders())) == 5


def test_terms_are_said_once_for_the_same_data(resources):
    there, back = card(), card(WAYS[1], name="Back")
    assert unsaid_terms([card(data=(HEADS,))]) == () and terms_of(card(data=(HEADS,))) == ""
    (words,) = unsaid_terms([there, back])
    assert "slices of people (CC BY-NC 4.0)" in words and "commercial" in words and "research" in words and CREDIT in words
    remember_said([there])
    assert unsaid_terms([there, back]) == ()
    assert len(unsaid_terms([card(data=(PEOPLE.model_copy(update={"what": "other slices"}),))])) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"hidden": "perhaps"}', b"\xff" * 10, b"[" * 100_000])
def test_a_damaged_record_of_terms_says_them_once_more(resources, content):
    remember_said([card()])
    (Path(os.environ["CTMRI_CONFIG_DIR"]) / "model_terms.json").write_bytes(content)
    assert len(unsaid_terms([card()])) == 1 and not hides_noncommercial()
    remember_said([card()])
    assert unsaid_terms([card()]) == ()


def test_the_command_says_terms_at_first_use_and_the_result_carries_the_licence(resources, tmp_path, capsys):
    finish(save(scan(), tmp_path / "ct.nii.gz"))
    asked = ["translate", str(tmp_path / "ct.nii.gz"), "--modality", "ct", "--device", "cpu", "--precision", "float32"]
    assert cli.main([*asked, "--output", str(tmp_path / "one.nii.gz")]) == 0
    assert "learnt from slices of people (CC BY-NC 4.0). That forbids commercial use" in capsys.readouterr().err
    assert cli.main([*asked, "--output", str(tmp_path / "two.nii.gz")]) == 0
    said = capsys.readouterr().err
    assert "That forbids" not in said and "what it makes is not for commercial use" in said
    record = json.loads((tmp_path / "two.nii.gz.provenance.json").read_text(encoding="utf-8"))
    assert record["model_details"]["licences"] == ["CC BY-NC 4.0"]
    learnt = record["model_details"]["training_data"][0]
    assert learnt["what"] == "slices of people" and learnt["credit"] == CREDIT
    assert any(finding["kind"] == "noncommercial" for finding in record["findings"])
    again = open_volume(tmp_path / "two.nii.gz")
    assert any("commercial" in finding.message for finding in again.findings)
    assert any("CC BY-NC" in entry.value for entry in volume_header(again, 0).entries)
    assert cli.main(["info", str(tmp_path / "two.nii.gz")]) == 0 and "forbids commercial use" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["made.nii.gz", "made.mha", "made.nrrd", "pictures"])
def test_a_file_that_lost_its_record_still_says_that_it_is_not_for_sale(tmp_path, name):
    made = finish(translate(scan(), load_model(write(tmp_path / "m.safetensors", card())), device="cpu"))
    target = tmp_path / name
    finish(save(made, target, slices="png") if name == "pictures" else save(made, target))
    kept = [finding.message for finding in open_volume(target).findings if finding.kind == "noncommercial"]
    assert len(kept) == 1 and "CC BY-NC 4.0" in kept[0], "the record tells the licence, once"
    if name == "pictures":
        readme = (target / "README.txt").read_text(encoding="utf-8")
        assert "slices of people (licence: CC BY-NC 4.0)" in readme and CREDIT in readme
    for record in tmp_path.rglob("*.provenance.json"):
        record.unlink()
    bare = open_volume(target)
    assert [finding.kind for finding in bare.findings].count("noncommercial") == 1 and bare.synthetic is not None
    finish(save(bare, tmp_path / "given.nii.gz", deidentify=True, pseudonym="P1"))
    assert "noncommercial" in {finding.kind for finding in open_volume(tmp_path / "given.nii.gz").findings}


@pytest.mark.parametrize("more", ["", "; DOE^JOHN 19500101", "; John Doe", "; ct"])
def test_our_mark_is_shown_and_what_somebody_wrote_behind_it_is_not(tmp_path, more):
    made = finish(translate(scan(), load_model(write(tmp_path / "m.safetensors", card())), device="cpu"))
    path = tmp_path / "made.mha"
    finish(save(made, path))
    head, data = path.read_bytes().split(b"ElementDataFile", 1)
    head = head.replace(b"use only", f"use only{more}".encode())
    path.write_bytes(head + b"ElementDataFile" + data)
    shown = [entry for entry in volume_header(open_volume(path), 0).entries if "non-commercial" in entry.value]
    assert shown and all(entry.identifying is bool(more) for entry in shown)


def test_what_is_made_by_a_model_of_phantoms_alone_bears_no_such_mark(tmp_path):
    made = finish(translate(scan(), load_model(write(tmp_path / "m.safetensors", card(data=(HEADS,)))), device="cpu"))
    finish(save(made, tmp_path / "made.nii.gz"))
    assert "noncommercial" not in {finding.kind for finding in open_volume(tmp_path / "made.nii.gz").findings}


def test_a_model_of_phantoms_is_doubted_for_people_and_hidden_ones_are_told_of(resources, tmp_path, capsys):
    finish(save(scan(), tmp_path / "ct.nii.gz"))
    finish(save(replace(scan(), phantom=True), tmp_path / "phantom.nii.gz"))
    hide_noncommercial(True)
    asked = ["--modality", "ct", "--device", "cpu", "--precision", "float32", "--output"]
    doubt = "learnt from digital phantoms alone: do not trust what it shows of a person"
    assert cli.main(["translate", str(tmp_path / "ct.nii.gz"), *asked, str(tmp_path / "made.nii.gz")]) == 0
    said = capsys.readouterr().err
    assert doubt in said and "are hidden" in said
    assert cli.main(["translate", str(tmp_path / "ct.nii.gz"), "--strict", *asked, str(tmp_path / "none.nii.gz")]) != 0
    assert doubt in capsys.readouterr().err and not (tmp_path / "none.nii.gz").exists()
    assert cli.main(["translate", str(tmp_path / "phantom.nii.gz"), *asked, str(tmp_path / "other.nii.gz")]) == 0
    said = capsys.readouterr().err
    assert "do not trust what it shows of a person" not in said and "are hidden" not in said


@pytest.mark.parametrize("deidentify", [False, True])
def test_dicom_carries_the_licence_in_a_standard_attribute(tmp_path, deidentify):
    made = finish(translate(scan(), load_model(write(tmp_path / "m.safetensors", card())), device="cpu"))
    finish(save(made, tmp_path / "s", source=scan(), deidentify=deidentify, pseudonym="P1" if deidentify else ""))
    slice_ = pydicom.dcmread(next((tmp_path / "s").glob("*.dcm")))
    assert "Model learnt from data under: CC BY-NC 4.0." in slice_.DerivationDescription
    assert len(slice_.DerivationDescription) <= 1024
    again = open_volume(tmp_path / "s")
    assert again.synthetic is not None and again.synthetic.model_hash == made.synthetic.model_hash
    if not deidentify:  # whose private record goes
        assert again.synthetic.details["licences"] == ["CC BY-NC 4.0"]


def test_a_picture_within_an_outline_carries_the_licence_of_the_outliner(tmp_path):
    outlining = outliner("body", spacing=1.6)
    facts = {"training_data": (PEOPLE,), "weights_sha256": "cd" * 32}
    outlining = outlining._replace(card=outlining.card.model_copy(update=facts))
    model = load_model(write(tmp_path / "m.safetensors", card(data=(HEADS,))))
    made = finish(translate_as(ct(), model, Order(device="cpu", precision="float32", body_model=outlining))).volume
    assert made.synthetic.details["licences"] == ["Apache-2.0, as the program", "CC BY-NC 4.0"]
    assert [finding.kind for finding in made.findings].count("noncommercial") == 1


def test_a_model_that_goes_on_from_another_inherits_its_licence(tiny_pairs, tmp_path):
    start, method = write(tmp_path / "earlier.safetensors", card()), find_card("pix2pix")
    settings = TrainingSettings(
        start_from=str(start), iterations=1, validate_every=1, crop=16, precision="32", device="cpu", tensorboard=False
    )
    config = method.config(**RESNET, discriminator_width=4, receptive_field=16)
    result = finish(Trainer(method, config, tiny_pairs(), tmp_path / "run", settings).run(never))
    tuned = read_card(result.models["ct_to_mr_t1"])
    assert tuned.noncommercial and tuned.licences[-1] == "CC BY-NC 4.0" and not tuned.only_phantoms


def test_training_that_begins_with_such_a_model_says_its_terms_first_and_takes_its_name(resources, tmp_path, capsys):
    flags = ["--data", "phantom:2", "--direction", "ct_to_mr_t1", "--spacing-mm", "6", "--iterations", "1", "--crop", "16"]
    flags += ["--device", "cpu", "--precision", "32", "--no-tensorboard", "--start-from", "people_ct_to_mr_t1"]
    flags += ["--generator", "resnet_6", "--width", "4", "--norm", "instance", "--no-dropout", "--discriminator-width", "4"]
    status = cli.main(["train", "pix2pix", "--run", str(tmp_path / "run"), *flags, "--receptive-field", "16"])
    told = capsys.readouterr()
    assert status == 0, told.err
    assert "That forbids commercial use" in told.err and unsaid_terms([card()]) == ()
    assert read_card(tmp_path / "run" / "models" / "pix2pix-ct_to_mr_t1-last.safetensors").noncommercial


def test_reports_name_the_licences(tmp_path):
    one = Contender(1, "Of people", "mark", load_model(write(tmp_path / "m.safetensors", card(data=(HEADS, PEOPLE)))))
    assert one.told(WAYS[0], ()).licences == ("Apache-2.0, as the program", "CC BY-NC 4.0")


def test_the_command_shows_terms_and_hides_models(resources, capsys):
    assert cli.main(["models", "terms"]) == 0
    said = capsys.readouterr().out
    assert "Made of slices by their creators." in said and "CC BY-NC 4.0" in said and said.endswith("Such models are shown.\n")
    assert unsaid_terms([card()]) == ()
    assert cli.main(["models", "terms", "--hide"]) == 0
    capsys.readouterr()
    assert cli.main(["models"]) == 0
    told = capsys.readouterr()
    assert "People" not in told.out and "Phantom" in told.out and "hidden" in told.err
    assert cli.main(["models", "terms", "--show"]) == 0
    capsys.readouterr()
    assert cli.main(["models"]) == 0 and "People ct_to_mr_t1" in capsys.readouterr().out
