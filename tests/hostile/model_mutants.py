"""Sound files of networks, ours and those of PyTorch and ONNX, and damage to them by chance. Same seed, same file."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from ctmri_core.domain import Direction, Domain
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.registry import build_generator

CARD = ModelCard(
    name="Tiny", method="pix2pix", config={"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False},
    direction=Direction(Domain.CT, Domain.MR_T1), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
)  # fmt: skip
_OF_HEADERS = (b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e999", b"\\u0000", b"\xff", b"9" * 20)
_OF_PICKLES = (b"(", b".", b"u", b"t", b"R", b"}", b"]", b"q\xff", b"cos\nsystem\n", b"\x80\x05", b"X\xff\xff\xff\x7f", b"Q")
_OF_GRAPHS = (b"\x08", b"\x12\x00", b"\xff\xff\xff\xff\x7f", b"Mul", b"If", b"\x1a\x05other", b"picture", b"\x00" * 8)


@cache
def sound_model() -> tuple[dict, bytes]:
    """(header, tensors) of a model file of ours."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        torch.manual_seed(0)
        save_model(path, build_generator(CARD).state_dict(), CARD)
        content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def file_of(path: Path, header: dict | bytes, data: bytes, *, length: int | None = None) -> Path:
    """A model file of ours with contents of our choice."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


@cache
def _checkpoint(*, old: bool) -> bytes:
    buffer = BytesIO()
    torch.save({"w": torch.ones(2, 3), "n": torch.tensor(4)}, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


@cache
def _graph() -> bytes:
    weights = [numpy_helper.from_array(np.float32(value), name) for name, value in (("slope", 3000), ("start", -900))]
    nodes = [helper.make_node("Mul", ["picture", "slope"], ["m"]), helper.make_node("Add", ["m", "start"], ["answer"])]
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 32, 32]) for name in ("picture", "answer"))
    graph = helper.make_graph(nodes, "g", [given], [made], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def _model(folder: Path, random: Random) -> Path:
    header, data = sound_model()
    return file_of(folder / "m.safetensors", _damaged(json.dumps(header).encode(), _OF_HEADERS, random), data)


def _old_or_new(old: bool) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        path = folder / "m.pth"
        path.write_bytes(_damaged(_checkpoint(old=old), _OF_PICKLES, random))
        return path

    return make


def _onnx(folder: Path, random: Random) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(_damaged(_graph(), _OF_GRAPHS, random))
    return path


MUTANTS: dict[str, Callable[[Path, Random], Path]] = {
    "model file": _model, "checkpoint": _old_or_new(False), "old checkpoint": _old_or_new(True), "ONNX": _onnx,
}  # fmt: skip
"""By kind, what writes one damaged file into a folder."""


def _damaged(content: bytes, words: tuple[bytes, ...], random: Random) -> bytes:
    """1 to 4 flips, cuts, insertions and repeats."""
    mutant = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at, way = random.randrange(len(mutant)), random.randrange(4)
        if way == 0:
            mutant[at] ^= 1 << random.randrange(8)
        elif way == 1:
            del mutant[at : at + random.randint(1, 40)]
        else:
            mutant[at:at] = random.choice(words) if way == 2 else mutant[at : at + random.randint(1, 60)]
    return bytes(mutant)
