"""The header of a model file is hostile until checked; the card says what a model is."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused
from ctmri_core.model_card import (
    CARD_KEY,
    ModelCard,
    Origin,
    TrainingData,
    case_fingerprint,
    choose_model,
    find_model,
    list_models,
    read_card,
    read_header,
)
from ctmri_core.preprocess.recipe import Recipe

CARD = ModelCard(
    name="Phantom CT to T1",
    method="pix2pix",
    config={"width": 8},
    direction=Direction(Domain.CT, Domain.MR_T1),
    recipe=Recipe(multiple=32),
    body_region="head",
    training_data=(
        TrainingData(what="digital heads", licence="CC0-1.0", cases=3, phantom=True, salt="s", fingerprints=("0" * 16,)),
    ),
    metrics={"mae": 12.5},
    demo=True,
    created=datetime(2026, 1, 2, tzinfo=UTC),
    program_version="0.1.0",
)


def write(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def header_of(card=CARD, **tensors):
    return {"__metadata__": {CARD_KEY: card.model_dump_json()}, **tensors}


def tensor(begin=0, end=8, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def test_the_card_goes_through_json():
    assert ModelCard.model_validate_json(CARD.model_dump_json()) == CARD
    assert json.loads(CARD.model_dump_json())["direction"] == "ct_to_mr_t1"


def test_the_summary_says_what_it_is_and_is_not():
    assert CARD.summary == "CT → T1 MR, head; trained on digital heads (3 cases). Demonstration only: not for patients."


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"name": "two\nlines"},
        {"name": ""},
        {"direction": "ct to mr"},
        {"method": "../../etc"},
        {"metrics": {"mae": float("nan")}},
        {"weights_sha256": "abc"},
        {"format": "ctmri-model-2"},
    ],
)
def test_a_card_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValidationError):
        ModelCard.model_validate({**CARD.model_dump(), **change})


def test_a_sound_header(tmp_path):
    path = write(tmp_path / "m.safetensors", header_of(b=tensor(8, 16, (2, 1)), a=tensor(0, 8)), bytes(16))
    header = read_header(path)
    assert header.card == CARD == read_card(path)
    assert list(header.tensors) == ["a", "b"]
    assert header.tensors["b"].end == path.stat().st_size


@pytest.mark.parametrize(
    ("entries", "data", "says"),
    [
        ({"a": tensor()}, 4, "cut short"),
        ({"a": tensor()}, 12, "longer"),
        ({"a": tensor(8, 16)}, 16, "'a'"),
        ({"a": tensor(), "b": tensor()}, 8, "'b'"),
        ({"a": tensor(shape=(3,))}, 8, "does not fit"),
        ({"a": tensor(shape=(2**40, 2**40), end=8)}, 8, "does not fit"),
        ({"a": tensor(shape=(-2,))}, 8, "malformed"),
        ({"a": tensor(shape=(2.0,))}, 8, "malformed"),
        ({"a": tensor(shape=(True, 2))}, 8, "malformed"),
        ({"a": tensor(8, 0)}, 8, "does not fit"),
        ({"a": tensor(dtype="F64", shape=(1,))}, 8, "F64"),
        ({"a": tensor(dtype=["F32"])}, 8, "type"),
        ({"a": {"dtype": "F32"}}, 8, "malformed"),
        ({"a": 5}, 8, "malformed"),
        ({"x" * 5000: 5}, 8, "xxx..."),
    ],
)
def test_tables_that_lie_are_refused_and_named(tmp_path, entries, data, says):
    path = write(tmp_path / "m.safetensors", header_of(**entries), bytes(data))
    with pytest.raises(ModelRefused, match=says) as refusal:
        read_card(path)
    assert str(refusal.value).startswith("m.safetensors: ")
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (b"", 0),
        (b"{}", 10**15),
        (b"{}", 11 * 2**20),
        (b"[1]", None),
        (b"{" * 100_000, None),
        (b'{"a":' * 50_000, None),
        (b'{"a": NaN}', None),
        (b'{"a": 1, "a": 2}', None),
        (b"\xff\xfe{}", None),
        (b'{"a": ' + b"9" * 10_000 + b"}", None),
    ],
)
def test_headers_that_are_none_are_refused(tmp_path, text, length):
    with pytest.raises(ModelRefused, match=r"m\.safetensors"):
        read_card(write(tmp_path / "m.safetensors", text, length=length))


def test_weights_without_a_card_and_with_a_card_from_the_future(tmp_path):
    with pytest.raises(ModelRefused, match="no model card"):
        read_card(write(tmp_path / "m.safetensors", {"a": tensor()}, bytes(8)))
    newer = json.dumps({**json.loads(CARD.model_dump_json()), "surprise": 1})
    with pytest.raises(ModelRefused, match="surprise"):
        read_card(write(tmp_path / "m.safetensors", {"__metadata__": {CARD_KEY: newer}}))


def test_pickles_are_refused_in_words_and_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "code ran"),)

    pickled = tmp_path / "old.safetensors"
    pickled.write_bytes(pickle.dumps(Trap(), protocol=2))
    zipped = tmp_path / "new.safetensors"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
    with pytest.raises(ModelRefused, match="pickle"):
        read_card(pickled)
    with pytest.raises(ModelRefused, match="PyTorch checkpoint"):
        read_card(zipped)
    assert not (tmp_path / "code ran").exists()


def test_missing_files_folders_and_pipes(tmp_path):
    with pytest.raises(ModelRefused, match="no such file"):
        read_card(tmp_path / "m.safetensors")
    with pytest.raises(ModelRefused, match="not a file"):
        read_card(tmp_path)
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(ModelRefused, match="not a file"):
        read_card(tmp_path / "pipe.safetensors")


def test_list_find_and_choose(tmp_path):
    real = CARD.model_copy(update={"name": "Real one", "demo": False})
    back = CARD.model_copy(update={"name": "Back", "direction": Direction(Domain.MR_T1, Domain.CT)})
    (tmp_path / "user").mkdir()
    demo_path = write(tmp_path / "demo.safetensors", header_of())
    back_path = write(tmp_path / "zback.safetensors", header_of(back))
    real_path = write(tmp_path / "user" / "real.safetensors", header_of(real))
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    folders = [tmp_path, tmp_path / "user", tmp_path / "absent"]
    entries = list_models(folders)
    assert [entry.path.stem for entry in entries] == ["broken", "demo", "zback", "real"]
    assert entries[0].card is None
    assert "broken.safetensors" in entries[0].problem
    assert find_model("phantom ct TO t1", folders) == demo_path
    assert find_model("zback", folders) == back_path
    assert find_model(real_path, []) == real_path
    assert choose_model(Domain.CT, folders) == real_path
    assert choose_model(Direction(Domain.CT, Domain.MR_T1), [tmp_path]) == demo_path
    assert choose_model(Domain.MR, folders) == back_path
    with pytest.raises(ModelRefused, match="Real one"):
        find_model("Reel one", folders)
    with pytest.raises(ModelRefused, match="T2 MR"):
        choose_model(Domain.MR_T2, folders)


def test_a_model_that_takes_a_kind_as_well_is_chosen_after_one_made_for_it(tmp_path):
    way, kind = Direction(Domain.MR_T1, Domain.CT), Domain.MR_T1_GD
    both = CARD.model_copy(update={"direction": way, "also_takes": (kind,)})
    write(tmp_path / "a.safetensors", header_of(both))
    assert choose_model(kind, [tmp_path]).name == choose_model(Domain.MR_T1, [tmp_path]).name == "a.safetensors"
    write(tmp_path / "b.safetensors", header_of(CARD.model_copy(update={"direction": Direction(kind, Domain.CT)})))
    assert choose_model(kind, [tmp_path]).name == "b.safetensors"
    assert choose_model(Domain.MR_T1, [tmp_path]).name == "a.safetensors"


def test_a_model_of_another_program_that_tells_nothing_of_its_pictures_is_the_last_choice(tmp_path):
    origin = Origin(file="latest_net_G_A.pth", sha256="1" * 64, layout="CycleGAN", licence="not stated")
    foreign = CARD.model_copy(update={"name": "Foreign", "demo": False, "origin": origin})
    assert foreign.training_range is None
    other = write(tmp_path / "a.safetensors", header_of(foreign))
    assert choose_model(Domain.CT, [tmp_path]) == other
    demo = write(tmp_path / "b.safetensors", header_of())
    assert choose_model(Domain.CT, [tmp_path]) == demo


def test_a_name_that_two_models_bear_is_not_guessed_at(tmp_path):
    one, other = (CARD.model_copy(update={"weights_sha256": digit * 64}) for digit in "12")
    first = write(tmp_path / "a.safetensors", header_of(one))
    write(tmp_path / "b.safetensors", header_of(other))
    with pytest.raises(ModelRefused, match=r"several models: a\.safetensors, b\.safetensors"):
        find_model(CARD.name, [tmp_path])
    write(tmp_path / "b.safetensors", header_of(one))  # a copy is no other model
    assert find_model(CARD.name, [tmp_path]) == first


def test_the_folder_of_a_run_stands_for_its_best_model(tmp_path):
    models = tmp_path / "run" / "models"
    models.mkdir(parents=True)
    with pytest.raises(ModelRefused, match="The folder run holds no model"):
        find_model(tmp_path / "run", [])
    best = write(models / "cut-ct_to_mr_t1.safetensors", header_of())
    write(models / "cut-ct_to_mr_t1-last.safetensors", header_of(CARD.model_copy(update={"name": "Last"})))
    assert find_model(tmp_path / "run", []) == find_model(models, []) == best
    write(models / "cut-mr_t1_to_ct.safetensors", header_of(CARD.model_copy(update={"direction": CARD.direction.reverse})))
    with pytest.raises(ModelRefused, match=r"cut-ct_to_mr_t1\.safetensors, cut-mr_t1_to_ct\.safetensors"):
        find_model(tmp_path / "run", [])


def test_fingerprints_depend_on_content_and_salt():
    assert case_fingerprint(b"voxels", "a") == case_fingerprint(b"voxels", "a")
    assert len({case_fingerprint(b"voxels", "a"), case_fingerprint(b"voxels", "b"), case_fingerprint(b"other", "a")}) == 3


def test_cards_are_read_without_torch():
    code = "import sys, ctmri_core.model_card; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
