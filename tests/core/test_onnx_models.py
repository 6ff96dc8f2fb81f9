"""ONNX: models of others run with a card alone; ours are exported and give the same pictures elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from ctmri_core.cli.main import main
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import ModelRefused, WriteFailed
from ctmri_core.events import finish
from ctmri_core.exchange.found_model import look
from ctmri_core.exchange.importing import import_model
from ctmri_core.exchange.onnx_export import export_onnx
from ctmri_core.geometry import Geometry
from ctmri_core.inference.translate import translate
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import load_model, save_model
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import build_generator
from ctmri_core.volume import Volume

SIDE = 32
FEDERATED = {
    "name": "Brain T1 to CT",
    "direction": "mr_t1_to_ct", "body_region": "head", "licence": "RAIL-M, research only",
    "input_range": [0, 1], "output_range": [-1024, 3000],
    "recipe": {
        "spacing_mm": 1.0, "bias_field": {"cell_mm": 2.0}, "only_body": True,
        "mr": {"kind": "min_max"}, "ct": {"kind": "hu_range", "low": -1024, "high": 3000},
    },
}  # fmt: skip
"""The published recipe of three federated networks (METHODS 9): MR between 0 and 1 in, HU out."""


def model(nodes, inputs=None, outputs=None, weights=(), size=(SIDE, SIDE), **more):
    """A small ONNX model made by the reference package."""
    shape = [1, 1, *size]
    inputs = inputs or [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)]
    outputs = outputs or [helper.make_tensor_value_info("answer", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), *more.pop("opsets", [])], ir_version=8, **more)


def to_hu():
    """HU = 3000 x - 900, for x from 0 to 1."""
    weights = [numpy_helper.from_array(np.float32(value), name) for name, value in (("slope", 3000), ("start", -900))]
    nodes = [helper.make_node("Mul", ["picture", "slope"], ["m"]), helper.make_node("Add", ["m", "start"], ["answer"])]
    return model(nodes, weights=weights)


def head_mr():
    k, j, i = np.mgrid[-1:1:12j, -1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    inside = (k**2 + j**2 + i**2 < 0.8) * (400 + 300 * np.cos(3 * i))
    return Volume(inside.astype(np.float32), Geometry(inside.shape, (4.0, 1.0, 1.0)), Domain.MR_T1)


def test_a_foreign_onnx_model_translates_from_a_card_beside_it(tmp_path, capsys):
    path = tmp_path / "fedsynthct.onnx"
    onnx.save(to_hu(), path)
    (tmp_path / "fedsynthct.onnx.json").write_text(json.dumps(FEDERATED))
    assert main(["models", "import", str(path), "--into", str(tmp_path)]) == 0
    taken = load_model(capsys.readouterr().out.strip())
    assert taken.card.recipe.size == (SIDE, SIDE) and taken.card.origin.layout == "ONNX model"
    prepared = torch.rand(3, 1, SIDE, SIDE) * 2 - 1
    hu = taken.card.recipe.to_nominal(taken.generator(prepared).numpy(), Domain.CT)
    np.testing.assert_allclose(hu, 3000 * (prepared.numpy() + 1) / 2 - 900, atol=0.01)
    made = finish(translate(head_mr(), taken))
    assert made.domain is Domain.CT and made.voxels.dtype == np.int16
    assert made.voxels.max() == 2100 and made.voxels.min() == -900  # brightest and darkest of the body


@pytest.mark.parametrize("missing", ["input_range", "output_range", "licence", "recipe"])
def test_what_a_graph_cannot_say_is_asked_for(tmp_path, missing):
    onnx.save(to_hu(), tmp_path / "m.onnx")
    card = {name: value for name, value in FEDERATED.items() if name != missing}
    with pytest.raises(ModelRefused, match=rf"\n  {missing}"):
        finish(import_model(tmp_path / "m.onnx", card, tmp_path))


def _external():
    made = to_hu()
    tensor = made.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    return made


def _nested(kind="Evil", domain="other.program"):
    """A foreign operator within a branch."""
    output = helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 1, SIDE, SIDE])
    branch = helper.make_graph([helper.make_node(kind, ["picture"], ["b"], domain=domain)], "branch", [], [output])
    yes = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["answer"], then_branch=branch, else_branch=branch)
    return model([node], weights=[yes], opsets=[helper.make_opsetid(domain, 1)])


def _ports(shape, kind=TensorProto.FLOAT, inputs=1):
    given = [helper.make_tensor_value_info(f"p{n}", kind, shape) for n in range(inputs)]
    return model([helper.make_node("Identity", ["p0"], ["answer"])], inputs=given)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_external, "its weights lie in another file"),
        (_nested, r"the operator other\.program\.Evil of another program"),
        (lambda: _ports([1, 1, SIDE, SIDE], inputs=2), "it takes 2 inputs"),
        (lambda: _ports([1, 1, 8, SIDE, SIDE]), "its input is float32 1 x 1 x 8 x 32 x 32"),
        (lambda: _ports([1, 1, SIDE, SIDE], TensorProto.INT64), "its input is of another type"),
        (lambda: _ports([4, 1, SIDE, SIDE]), "needed is float32, 1 x channels"),
        (lambda: model([helper.make_node("Sum", ["nothing"], ["answer"])]), "onnxruntime cannot run"),
        (lambda: model([helper.make_node("MaxPool", ["picture"], ["answer"], kernel_shape=[2, 2])]), "answers a picture of"),
        (lambda: model([helper.make_node("Log", ["picture"], ["answer"])]), "answers with what is no picture"),
    ],
)
def test_onnx_models_that_reach_out_or_make_no_pictures_are_refused(tmp_path, make, says):
    (tmp_path / "m.onnx").write_bytes(make().SerializeToString())
    card = {**FEDERATED, "input_range": [-1, 1]}
    with pytest.raises(ModelRefused, match=says):
        finish(import_model(tmp_path / "m.onnx", card, tmp_path))


def test_damage_anywhere_is_refused_or_harmless(tmp_path):
    content = to_hu().SerializeToString()
    path = tmp_path / "m.onnx"
    outcomes = set()
    for place in range(0, len(content), 3):
        for damaged in (content[:place], content[:place] + b"\xff" + content[place + 1 :]):
            path.write_bytes(damaged)
            try:
                look(path)
                outcomes.add("read")
            except ModelRefused as refusal:
                assert str(refusal).startswith("m.onnx: ")
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    card = ModelCard(
        name="Tiny", method="reggan", config={"width": 4, "generator": "resnet_6"}, direction=Direction(Domain.CT, Domain.MR_T1),
        recipe=Recipe(spacing_mm=None), body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    torch.manual_seed(3)
    save_model(folder / "tiny.safetensors", initialise_normal(build_generator(card)).state_dict(), card)
    assert finish(export_onnx(folder / "tiny.safetensors", folder / "tiny.onnx")) == folder / "tiny.onnx"
    return folder


def test_an_exported_model_gives_the_same_picture_in_onnxruntime_at_any_size(exported):
    onnx.checker.check_model(exported / "tiny.onnx", full_check=True)
    session = onnxruntime.InferenceSession(exported / "tiny.onnx", providers=["CPUExecutionProvider"])
    generator = load_model(exported / "tiny.safetensors").generator
    for size in ((64, 64), (100, 40)):
        x = torch.rand(1, 1, *size) * 2 - 1
        (answer,) = session.run(None, {"slice": x.numpy()})
        np.testing.assert_allclose(answer, generator(x).numpy(), atol=1e-4)
    stored = session.get_modelmeta().custom_metadata_map
    assert ModelCard.model_validate_json(stored["ctmri_card"]) == load_model(exported / "tiny.safetensors").card
    assert json.loads(stored["ctmri_import"]) == json.loads((exported / "tiny.onnx.json").read_text())
    content = (exported / "tiny.onnx").read_bytes()
    assert b"stack_trace" not in content and b".py" not in content  # nothing of the machine that wrote it


def test_an_exported_model_comes_back_and_translates_a_scan_alike(exported, tmp_path):
    back = finish(import_model(exported / "tiny.onnx", {"output_range": [-1, 1]}, tmp_path))
    voxels = np.random.default_rng(0).integers(-1000, 1000, (6, 48, 40)).astype(np.int16)
    volume = Volume(voxels, Geometry(voxels.shape, (3.0, 1.0, 1.0)), Domain.CT)
    own, again = (finish(translate(volume, load_model(path))) for path in (exported / "tiny.safetensors", back))
    assert np.abs(own.voxels - again.voxels).mean() < 0.01 * 1000 * 2


def test_an_export_replaces_nothing_unasked(exported):
    with pytest.raises(WriteFailed, match="exists already"):
        finish(export_onnx(exported / "tiny.safetensors", exported / "tiny.onnx"))


def test_the_command_line_exports_and_refuses_what_onnx_has_no_word_for(tmp_path, capsys):
    config = {"generator": "resnet_6", "width": 4, "faithful": True}
    card = ModelCard(
        name="F", method="pix2pix", config=config, direction=Direction(Domain.CT, Domain.MR_T1), body_region="head",
        created=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    save_model(tmp_path / "f.safetensors", build_generator(card).state_dict(), card)
    out = tmp_path / "f.onnx"
    assert main(["models", "export", str(tmp_path / "f.safetensors"), "--format", "onnx", str(out)]) == 1
    assert "ONNX has no such model" in capsys.readouterr().err and not out.exists()
