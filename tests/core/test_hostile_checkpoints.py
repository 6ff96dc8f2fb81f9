"""Checkpoints that want to run code, to fill the memory, or that are damaged: refused in words before PyTorch sees them."""

from __future__ import annotations

import builtins
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath
from random import Random

import numpy as np
import pytest
import torch
from torch import nn

from ctmri_core.errors import ModelRefused
from ctmri_core.exchange.checkpoint_file import contents
from ctmri_core.exchange.foreign_weights import read_weights
from ctmri_core.exchange.found_model import look
from tests.hostile.model_mutants import MUTANTS


class Calls:
    """Unpickling it calls `function`."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


OBJECTS = {
    "a module": nn.Conv2d(1, 1, 3),
    "a module in a dict": {"state_dict": OrderedDict(w=torch.zeros(3)), "net": nn.Sequential(nn.ReLU())},
    "a shell command": Calls(os.system, "touch hacked"),
    "a process": Calls(subprocess.call, ["touch", "hacked"]),
    "eval": Calls(builtins.eval, "open('hacked', 'w')"),
    "exec": Calls(builtins.exec, "open('hacked', 'w')"),
    "getattr": Calls(builtins.getattr, "a", "upper"),
    "an import": Calls(builtins.__import__, "antigravity"),
    "torch.load": {"x": Calls(torch.load, "other.pth")},
    "torch.zeros of a terabyte": {"x": Calls(torch.zeros, 1 << 40)},
    "bytes": {"x": Calls(builtins.bytearray, 1 << 40)},
    "numpy": {"x": np.zeros(3)},
    "a numpy number": {"best": np.float64(3)},
    "a namespace": {"options": Namespace(lr=3)},
    "a date": {"when": datetime(2026, 1, 1)},
    "a path": {"where": PurePosixPath("a")},
    "a counter": Counter(a=3),
    "a default": defaultdict(list, a=[1]),
    "a set": {"x": {1, 2}},
    "a device": {"x": torch.device("cpu")},
    "a type of numbers": {"x": torch.float32},
    "a sparse tensor": {"x": torch.eye(3).to_sparse()},
}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_what_is_more_than_weights_is_refused_by_name_and_nothing_runs(tmp_path, monkeypatch, kind, old):
    monkeypatch.chdir(tmp_path)
    torch.save(OBJECTS[kind], tmp_path / "m.pth", _use_new_zipfile_serialization=not old)
    with pytest.raises(ModelRefused, match=r"m\.pth: it holds more than weights: an object of [\w. ]+\. Opening that would run"):
        contents(tmp_path / "m.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.pth"]


def archive(path, pickled, storages=None, *, pack=zipfile.ZIP_STORED, more=()):
    """As PyTorch writes it, with contents of our choice."""
    with zipfile.ZipFile(path, "w", pack) as made:
        made.writestr("archive/data.pkl", pickled)
        made.writestr("archive/version", "3\n")
        for key, content in (storages or {}).items():
            made.writestr(f"archive/data/{key}", content)
        for name, content in more:
            made.writestr(name, content)
    return path


def weights_of(count, shape, strides=None, offset=0):
    """The pickle of {"w": tensor} that claims `count` elements, a shape and strides."""
    strides = strides or [int(np.prod(shape[n + 1 :])) for n in range(len(shape))]

    def number(value):
        return pickle.dumps(value, 2)[2:-1]

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    reference = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + number(count) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + reference + number(offset) + numbers(shape) + numbers(strides)
    return b"\x80\x02}X\x01\0\0\0w" + tensor + b"\x89ccollections\nOrderedDict\n)RtRs."


def test_the_pickles_made_here_are_those_of_pytorch(tmp_path):
    path = archive(tmp_path / "m.pth", weights_of(6, (2, 3)), {"0": np.arange(6, dtype=np.float32).tobytes()})
    (found,) = contents(path).values()
    assert torch.equal(read_weights(path, {"w": (("w",), found)})["w"], torch.arange(6.0).reshape(2, 3))
    assert torch.load(path, weights_only=True).keys() == {"w"}


BOMBS = {
    "more elements than there are": (weights_of(1 << 36, (1 << 36,)), {"0": b"1234"}, {}, "lacks weights"),
    "none of them there": (weights_of(2, (2,)), {}, {}, "lacks weights"),
    "one element as a terabyte": (weights_of(1, (1 << 40,), [0]), {"0": b"1234"}, {}, "does not fit its 1 elements"),
    "beyond its elements": (weights_of(4, (2,), [1], 3), {"0": bytes(16)}, {}, "does not fit"),
    "a negative size": (weights_of(4, (-1, -4), [1, 1]), {"0": bytes(16)}, {}, "no proper number"),
    "packed": (weights_of(1 << 20, (1 << 20,)), {"0": bytes(1 << 22)}, {"pack": zipfile.ZIP_DEFLATED}, "packed"),
    "endless references": (b"\x80\x02]q\x00" + b"h\x00a" * 200_000 + b".", {}, {}, "too many instructions"),
    "a list in itself": (b"\x80\x02]q\x00h\x00a.", {}, {}, "no weights"),
    "a program": (weights_of(1, (1,)), {"0": b"1234"}, {"more": [("archive/constants.pkl", b"")]}, "TorchScript"),
    "no pickle": (b"hello", {}, {}, "m.pth: it "),
    "nothing": (b"", {}, {}, "damaged"),
    "an end without a beginning": (b"\x80\x02.", {}, {}, "damaged"),
    "a mark alone": (b"\x80\x02(.", {}, {}, "no weights"),
    "an unknown register": (b"\x80\x02h\x07.", {}, {}, "damaged"),
    "items without a beginning": (b"\x80\x02}u.", {}, {}, "damaged"),
    "an extension": (b"\x80\x02\x82\x01.", {}, {}, "EXT1"),
    "another order of bytes": (weights_of(1, (1,)), {"0": b"1234"}, {"more": [("archive/byteorder", b"big")]}, "big endian"),
    "another key": (b"\x80\x02}NK\x01s.", {}, {}, "neither text nor number"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_and_damage_take_neither_memory_nor_time(tmp_path, kind):
    pickled, storages, more, says = BOMBS[kind]
    archive(tmp_path / "m.pth", pickled, storages, **more)
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match=says) as refused:
            look(tmp_path / "m.pth")
        assert str(refused.value).startswith("m.pth: ") and "\n" not in str(refused.value)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


def test_the_elements_of_an_old_file_must_be_there(tmp_path):
    torch.save({"w": torch.zeros(1000)}, tmp_path / "m.pth", _use_new_zipfile_serialization=False)
    content = (tmp_path / "m.pth").read_bytes()
    (tmp_path / "m.pth").write_bytes(content[:-400])
    with pytest.raises(ModelRefused, match="cut short"):
        contents(tmp_path / "m.pth")
    assert struct.pack("<q", 1000) in content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no model file"), (b"hello", "no model file"), (b"\x89HDF\r\n\x1a\n", "Keras or HDF5"),
        (pickle.dumps({"a": 1}), "a pickle that PyTorch did not write"), (b"PK\x03\x04 nothing", "damaged"),
    ],
)  # fmt: skip
def test_other_files_are_called_what_they_are(tmp_path, content, says):
    (tmp_path / "m.pth").write_bytes(content)
    with pytest.raises(ModelRefused, match=says):
        look(tmp_path / "m.pth")
    with pytest.raises(ModelRefused, match="no such file"):
        look(tmp_path / "none.pth")
    with pytest.raises(ModelRefused, match="not a file"):
        look(tmp_path)


@pytest.mark.parametrize("old", [False, True])
def test_damage_anywhere_is_refused_or_changes_nothing_but_numbers(tmp_path, old):
    buffer = BytesIO()
    torch.save({"conv.weight": torch.ones(2, 3), "n": torch.tensor(4)}, buffer, _use_new_zipfile_serialization=not old)
    content, path = buffer.getvalue(), tmp_path / "m.pth"
    for place in range(0, len(content), 7):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]):
            path.write_bytes(damaged)
            try:
                contents(path)
            except ModelRefused as refusal:
                assert str(refusal).startswith("m.pth: ") and "\n" not in str(refusal)


@pytest.mark.parametrize("old", [False, True])
def test_mutated_checkpoints_are_refused_in_words_or_weights(tmp_path, old):
    """400 mutants of 1 to 4 flips, cuts, insertions and repeats, seeded: refusals of one line alone come out."""
    for number in range(400):
        path = MUTANTS["old checkpoint" if old else "checkpoint"](tmp_path, Random(f"3-{number}"))
        try:
            look(path)
        except ModelRefused as refusal:
            assert str(refusal).startswith("m.pth: ") and str(refusal).isprintable()


def test_looking_into_a_file_needs_no_unpickling(tmp_path):
    torch.save({"w": torch.zeros(3)}, tmp_path / "m.pth")
    code = (
        "import sys, pickle; pickle.load = pickle.loads = pickle.Unpickler = None\n"
        "from pathlib import Path; from ctmri_core.exchange.checkpoint_file import contents\n"
        "print(list(contents(Path(sys.argv[1]))), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "m.pth"], capture_output=True, text=True, check=True)
    assert done.stdout == "['w'] False\n"
