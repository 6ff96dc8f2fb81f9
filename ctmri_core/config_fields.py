"""The fields of a config type as a person meets them: flags and the forms of dialogs are made from the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Kind = Literal["int", "float", "bool", "choice", "text", "file", "time"]
GROUPS = "groups"
"""The class attribute in which a config type may say which of its fields belong together, by title, what matters most first."""

_WRITTEN = {"mr": "MR", "gan": "GAN", "l1": "L1", "nce": "NCE", "kl": "KL", "ema": "EMA", "ssim": "SSIM", "mm": "(mm)",
            "hu": "HU", "ct": "CT", "n4": "N4"}  # fmt: skip
_FILES = ("_file", "start_from", "body_model")
_TIMES = ("until",)


@dataclass(frozen=True)
class ConfigField:
    """`label`: the name in words; `low`, `high`: bounds, themselves outside where `_open`; `optional`: may be None; `default`:
    what is taken where nothing is chosen; `help`: one sentence; `group`: the title it stands under, "" where none is given.
    """

    name: str
    kind: Kind
    help: str
    default: Any
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    optional: bool = False
    group: str = ""

    @property
    def label(self) -> str:
        words = " ".join(_WRITTEN.get(word, word) for word in self.name.split("_"))
        return words[:1].upper() + words[1:]

    @property
    def bounds(self) -> str:
        """`at least 4 and at most 256`; empty where there are none."""
        words = []
        if self.low is not None:
            words.append(f"{'above' if self.low_open else 'at least'} {self.low:.10g}")
        if self.high is not None:
            words.append(f"{'below' if self.high_open else 'at most'} {self.high:.10g}")
        return " and ".join(words)


def fields_of(config_type: type[BaseModel], defaults: Mapping[str, Any] | None = None) -> tuple[ConfigField, ...]:
    """Group by group, within them in the order of the class. `defaults`: where others than the fields' own are taken."""
    groups: Mapping[str, tuple[str, ...]] = getattr(config_type, GROUPS, {})
    titles = {name: title for title, names in groups.items() for name in names}
    fields = (
        _field(name, field, (defaults or {}).get(name, field.get_default(call_default_factory=True)), titles.get(name, ""))
        for name, field in config_type.model_fields.items()
    )
    order = list(groups)
    return tuple(sorted(fields, key=lambda field: order.index(field.group) if field.group else len(order)))


def _field(name: str, field: FieldInfo, default: Any, group: str) -> ConfigField:
    inner = _inner(field.annotation)
    choices = get_args(inner) if get_origin(inner) is Literal else ()
    named: Kind = "file" if name.endswith(_FILES) else "time" if name in _TIMES else "text"
    kind: Kind = "choice" if choices else _KINDS.get(inner, named)
    limits = {key: getattr(part, key) for part in field.metadata for key in ("ge", "gt", "le", "lt") if hasattr(part, key)}
    return ConfigField(
        name=name, kind=kind, help=field.description or "", default=default, choices=choices,
        low=limits.get("ge", limits.get("gt")), high=limits.get("le", limits.get("lt")),
        low_open="gt" in limits, high_open="lt" in limits, optional=inner is not field.annotation, group=group,
    )  # fmt: skip


def _inner(annotation: Any) -> Any:
    """The type without `None`."""
    if get_origin(annotation) in (Union, type(int | None)):
        return next(part for part in get_args(annotation) if part is not NoneType)
    return annotation


_KINDS: Mapping[Any, Kind] = {int: "int", float: "float", bool: "bool"}
