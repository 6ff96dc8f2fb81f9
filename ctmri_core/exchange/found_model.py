"""What was found in a model file of another program, and what has to be asked of it before it can be used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctmri_core.errors import ModelRefused, shown_name
from ctmri_core.exchange.checkpoint_file import contents
from ctmri_core.exchange.import_card import GENERAL, ImportCard, Question, completed
from ctmri_core.exchange.networks_found import NetworkFound, networks_in
from ctmri_core.exchange.onnx_graph import OnnxFound, look_into_onnx
from ctmri_core.imported.card import ImportedConfig

IMPORT_KEY = "ctmri_import"
"""The metadata entry of an ONNX model that holds a card by hand, as the export here writes it."""
ONNX_SUFFIX = ".onnx"
_CHANNELS = (("copies", "the one slice in each"), ("neighbours", "slices that lie beside each other"))
_OUTPUTS = (("mean", "the mean of all"), ("first", "the first"), ("middle", "the middle one"))
_STATISTICS = (
    ("training", "norms by what was counted in training, no dropout"),
    ("picture", "norms by each picture's own values, dropout by one pattern: as pix2pix is published"),
)


@dataclass(frozen=True)
class FoundModel:
    """`networks`: of a checkpoint, at least one; or `onnx`. `said`: what the file says of itself, as a card by hand."""

    path: Path
    sha256: str
    networks: tuple[NetworkFound, ...] = ()
    onnx: OnnxFound | None = None

    @property
    def title(self) -> str:
        """What it is, for people."""
        if self.onnx is not None:
            return "ONNX model"
        titles = " and ".join(dict.fromkeys(network.layout.title for network in self.networks))
        return titles if len(self.networks) == 1 else f"{len(self.networks)} networks: {titles}"

    @property
    def said(self) -> dict[str, Any]:
        if self.onnx is None or IMPORT_KEY not in self.onnx.metadata:
            return {}
        try:
            table = json.loads(self.onnx.metadata[IMPORT_KEY])
        except (ValueError, RecursionError):
            return {}
        return table if isinstance(table, dict) else {}

    @property
    def channels(self) -> tuple[int, int]:
        """Of its input and of its answer."""
        if self.onnx is not None:
            return self.onnx.picture.shape[1] or 1, self.onnx.answer.shape[1] or 1
        settings = self.networks[0].settings
        return settings.get("in_channels", 1), settings.get("out_channels", 1)

    @property
    def facts(self) -> tuple[str, ...]:
        """What was found, a line for each."""
        given, made = self.channels
        lines = [f"{given} channel{'s' * (given > 1)} in, {made} out"]
        if self.onnx is not None:
            rows, columns = ("any" if n is None else str(n) for n in self.onnx.picture.shape[2:])
            return (*lines, f"pictures of {rows} x {columns}")
        return (*lines, *self.networks[0].changed)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What has to be known, beside how the values of both kinds of scan are scaled (`SCALINGS`)."""
        return (*GENERAL, *self._of_the_network())

    def completed(self, table: Mapping[str, Any]) -> ImportCard:
        """The card of `table`, with what the file says where it is silent. Raises `ModelRefused` telling what is missing."""
        return completed(shown_name(self.path), {**self.said, **table}, self.questions)

    def network(self, card: ImportCard) -> NetworkFound:
        """The network that `card` means."""
        parts = {network.part: network for network in self.networks}
        if len(parts) == 1:
            return self.networks[0]
        if card.part not in parts:
            raise ModelRefused(f"{shown_name(self.path)}: part {card.part!r} is none of {', '.join(parts)}.")
        return parts[card.part]

    def _of_the_network(self) -> tuple[Question, ...]:
        asked = []
        given, made = self.channels
        if len(self.networks) > 1:
            parts = tuple((network.part, network.layout.title) for network in self.networks)
            asked.append(Question("part", "which of the networks in the file", parts))
        if given > 1:
            usual = "copies" if given == 3 else "neighbours"
            asked.append(Question("channels", f"what its {given} input channels hold", _CHANNELS, usual))
        if made > 1:
            asked.append(Question("output", f"which of its {made} answers is the picture", _OUTPUTS, "mean"))
        if self.onnx is not None:
            asked.append(Question("input_range", "the values it is shown for the ends of the source's scaling, as [0, 1]"))
            asked.append(Question("output_range", "the values it gives for the ends of the target's scaling, as [-1, 1]"))
            if None in self.onnx.picture.shape[2:]:
                asked.append(Question("recipe.multiple", "pictures of multiples of how many pixels it takes"))
            return tuple(asked)
        network = self.networks[0]
        if network.layout.chance(network.settings):
            asked.append(Question("statistics", "how it translates", _STATISTICS, network.layout.advised))
        if network.layout.name == "stargan":
            count = network.settings["domains"]
            asked.append(Question("wanted", f"the place of the target among its {count} domains, from 0, as in training"))
        return tuple(asked)


def look(path: Path) -> FoundModel:
    """What the file at `path` holds, by its contents and never by its name; no weight is read.

    Raises `ModelRefused` with the reason and what to do where it cannot be used.
    """
    digest = _digest(path)
    with _opened(path) as file:
        start = file.read(8)
    if start[:4] == b"PK\x03\x04" or start[:1] == b"\x80" or (start[:4] == b"\x89HDF"):
        return FoundModel(path, digest, networks_in(path, contents(path)))
    if path.suffix.lower() == ONNX_SUFFIX or start[:1] == b"\x08":
        return FoundModel(path, digest, onnx=look_into_onnx(path))
    return FoundModel(path, digest, networks_in(path, contents(path)))


def config_of(found: FoundModel, card: ImportCard) -> ImportedConfig:
    """The settings of the network as the card has it. Raises `ValueError` where they do not go together."""
    given, made = found.channels
    names = ("input_low", "input_high", "output_low", "output_high")
    ends = dict(zip(names, (*card.input_range, *card.output_range), strict=True))
    settings: dict[str, Any] = {"in_channels": given, "out_channels": made}
    if found.onnx is not None:
        settings |= {"layout": "onnx", "onnx_bytes": found.onnx.size}
        if None in found.onnx.picture.shape[2:]:
            settings["multiple"] = card.recipe.multiple
    else:
        network = found.network(card)
        settings |= {**network.settings, "layout": network.layout.name}
    chosen = {"channels": card.channels, "output": card.output, "statistics": card.statistics, "wanted": card.wanted}
    answered = {name: value for name, value in chosen.items() if value is not None}
    return ImportedConfig.model_validate({**settings, **ends, **answered})


def _digest(path: Path) -> str:
    with _opened(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelRefused(f"{shown_name(path)}: it cannot be read: {error.strerror}.") from error


def _opened(path: Path) -> Any:
    try:
        if not path.is_file():
            raise ModelRefused(f"{shown_name(path)}: {'it is not a file' if path.exists() else 'there is no such file'}.")
        return path.open("rb")
    except OSError as error:
        raise ModelRefused(f"{shown_name(path)}: it cannot be read: {error.strerror}.") from error
