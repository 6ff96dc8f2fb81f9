"""Model files of our own format that are malicious or damaged: refused at once with the file and the key named, no code run, no
memory taken; and no way to unpickle anything anywhere."""

from __future__ import annotations

import ast
import json
import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

import pytest

import ctmri_core
from ctmri_core.errors import ModelRefused
from ctmri_core.model_card import CARD_KEY, list_models, read_card
from ctmri_core.model_file import load_model
from tests.hostile.model_mutants import CARD, MUTANTS, file_of, sound_model

ROOT = Path(ctmri_core.__file__).parent.parent


@pytest.fixture(scope="module")
def good() -> tuple[dict, bytes]:
    """(header, tensors) of a sound model file."""
    return sound_model()


def of_card(header, **changes):
    card = {**json.loads(header["__metadata__"][CARD_KEY]), **changes}
    return {**header, "__metadata__": {CARD_KEY: json.dumps(card)}}


def of_tensor(header, **changes):
    name = next(key for key in header if key != "__metadata__")
    return {**header, name: {**header[name], **changes}}


ENDLESS = {"what": "x", "licence": "y", "cases": 1, "fingerprints": ["0" * 16] * 100_001}
KINDS = {
    "no header": (lambda h, d: (b"", d), "m.safetensors"),
    "no JSON": (lambda h, d: (b"hello" * 9, d), "not a readable"),
    "another encoding": (lambda h, d: (json.dumps(h).encode("utf-16"), d), "not a readable"),
    "a list": (lambda h, d: (b"[]", d), "not a readable"),
    "deep": (lambda h, d: (b"[" * 200_000, d), "not a readable"),
    "deep tables": (lambda h, d: (b'{"a":' * 100_000, d), "not a readable"),
    "a huge number": (lambda h, d: (b'{"a": ' + b"9" * 10_000 + b"}", d), "m.safetensors"),
    "no number": (lambda h, d: (b'{"a": NaN}', d), "not a readable"),
    "a name twice": (lambda h, d: (b'{"a": 1, "a": 2}', d), "not a readable"),
    "no card": (lambda h, d: ({**h, "__metadata__": {}}, d), "no model card"),
    "card no text": (lambda h, d: ({**h, "__metadata__": {CARD_KEY: {"a": 1}}}, d), "no model card"),
    "card no JSON": (lambda h, d: ({**h, "__metadata__": {CARD_KEY: "{"}}, d), "card is not valid"),
    "a name with a line end": (lambda h, d: (of_card(h, name="a\nb"), d), "name"),
    "a name for a terminal": (lambda h, d: (of_card(h, name="\x1b[2J"), d), "name"),
    "a long name": (lambda h, d: (of_card(h, name="a" * 10_000), d), "name"),
    "limits beyond measure": (lambda h, d: (of_card(h, limitations="a" * 1_000_000), d), "limitations"),
    "a method as path": (lambda h, d: (of_card(h, method="../../etc"), d), "method"),
    "a method as module": (lambda h, d: (of_card(h, method="os:system"), d), "method"),
    "an unknown method": (lambda h, d: (of_card(h, method="os"), d), "os"),
    "an unknown field": (lambda h, d: (of_card(h, on_load="os.system('x')"), d), "on_load"),
    "another version": (lambda h, d: (of_card(h, format="ctmri-model-9"), d), "format"),
    "wide": (lambda h, d: (of_card(h, config={"width": 1 << 40}), d), "width"),
    "as wide as may be": (lambda h, d: (of_card(h, config={**CARD.config, "width": 1024}), d), "width|shape|lacks|multiple"),
    "a slice of a terabyte": (lambda h, d: (of_card(h, recipe={"size": [1 << 30, 1 << 30]}), d), "recipe.size"),
    "a spacing of nothing": (lambda h, d: (of_card(h, recipe={"spacing_mm": 0}), d), "recipe.spacing_mm"),
    "an infinite spacing": (lambda h, d: (of_card(h, recipe={"spacing_mm": "inf"}), d), "recipe.spacing_mm"),
    "fingerprints without end": (lambda h, d: (of_card(h, training_data=[ENDLESS]), d), "fingerprints"),
    "a type unknown": (lambda h, d: (of_tensor(h, dtype="O8"), d), "has the type"),
    "a shape of a terabyte": (lambda h, d: (of_tensor(h, shape=[1 << 20, 1 << 20]), d), "does not fit"),
    "a shape beyond numbers": (lambda h, d: (of_tensor(h, shape=[1 << 63]), d), "malformed"),
    "a negative shape": (lambda h, d: (of_tensor(h, shape=[-1, -4]), d), "malformed"),
    "a shape of flags": (lambda h, d: (of_tensor(h, shape=[True]), d), "malformed"),
    "too many axes": (lambda h, d: (of_tensor(h, shape=[1] * 9), d), "malformed"),
    "a place beyond the file": (lambda h, d: (of_tensor(h, data_offsets=[1 << 40, (1 << 40) + 4]), d), "does not fit|follow"),
    "places that overlap": (lambda h, d: (of_tensor(h, data_offsets=[4, 4 + 4 * 4]), d), "does not fit|follow"),
    "an empty tensor more": (lambda h, d: ({**h, "x": {"dtype": "F32", "shape": [0], "data_offsets": [len(d)] * 2}}, d), "'x'"),
    "longer than told": (lambda h, d: (h, d + bytes(9)), "longer"),
    "shorter than told": (lambda h, d: (h, d[:-9]), "cut short"),
    "a flipped bit": (lambda h, d: (h, bytes([d[0] ^ 1]) + d[1:]), "hash"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_refused_in_one_sentence_without_memory(tmp_path, good, kind):
    make, says = KINDS[kind]
    path = file_of(tmp_path / "m.safetensors", *make(*good))
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match=says) as refused:
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert str(refused.value).startswith("m.safetensors: ") and "\n" not in str(refused.value) and len(str(refused.value)) < 600
    assert str(refused.value).isprintable()
    (entry,) = list_models([tmp_path])  # what a list of models looks at must not fail either
    assert entry.card is None or entry.problem == ""


@pytest.mark.parametrize("length", [0, 1, 1 << 20, 1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_a_header_of_another_length_is_refused(tmp_path, good, length):
    with pytest.raises(ModelRefused, match=r"m\.safetensors"):
        read_card(file_of(tmp_path / "m.safetensors", *good, length=length))


def test_mutated_files_are_refused_or_the_same_weights(tmp_path, good):
    """300 mutants of the header's text: nothing but refusals comes out, and no other weights."""
    outcomes = Counter()
    for number in range(300):
        path = MUTANTS["model file"](tmp_path, Random(f"9-{number}"))
        try:
            loaded = load_model(path)
        except ModelRefused as refusal:
            outcomes["refused"] += 1
            assert str(refusal).startswith("m.safetensors: ") and str(refusal).isprintable()
        else:
            assert loaded.card.weights_sha256 == json.loads(good[0]["__metadata__"][CARD_KEY])["weights_sha256"]
    assert outcomes["refused"] > 150


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_LOADS = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "yaml.load", "torch.load", "torch.jit.load", "torch.hub.load",
    "joblib.load", "marshal.load", "marshal.loads", "shelve.open", "dill.load", "dill.loads",
}  # fmt: skip
ALLOWED = {
    ("ctmri_core/exchange/foreign_weights.py", "torch.load"),
    ("ctmri_core/io/reader_channel.py", "pickle.loads"),  # between our own two processes, never out of a file
    ("ctmri_core/io/reader_worker.py", "pickle.loads"),
}


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_nothing_anywhere_unpickles_or_evaluates():
    found = set()
    for package in ("ctmri_core", "ctmri_gui"):
        for path in (ROOT / package).rglob("*.py"):
            where = path.relative_to(ROOT).as_posix()
            for name, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
                if name in FORBIDDEN_CALLS or name in FORBIDDEN_LOADS:
                    found.add((where, name))
                if any(word.arg == "allow_pickle" and getattr(word.value, "value", None) is not False for word in call.keywords):
                    found.add((where, "allow_pickle"))
    assert found == ALLOWED
