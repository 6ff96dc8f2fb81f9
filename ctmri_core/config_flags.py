"""Command line flags from a config type: one flag per field, its help, bounds and default from the field itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ctmri_core.errors import CtmriError
from ctmri_core.hints import nearest_hint

Config = TypeVar("Config", bound=BaseModel)


def flag_of(field: str) -> str:
    """`lambda_l1` -> `--lambda-l1`."""
    return "--" + field.replace("_", "-")


def add_config_arguments(
    parser: argparse.ArgumentParser, config_type: type[BaseModel], defaults: Mapping[str, Any] | None = None
) -> None:
    """Adds a group of flags to `parser`, one per field of `config_type`. A flag that is not given leaves the default.

    `defaults`: where others than the fields' own are taken; help shows them. Values are checked as they are read, against the
    field's type and bounds; a wrong word names the nearest right one.
    """
    group = parser.add_argument_group((config_type.__doc__ or config_type.__name__).strip().splitlines()[0].rstrip("."))
    for name, field in config_type.model_fields.items():
        default = (defaults or {}).get(name, field.get_default(call_default_factory=True))
        shown = "" if default is None else f" (default: {default})"
        text = f"{field.description}{_bounds(field)}{shown}".replace("%", "%%")
        action = argparse.BooleanOptionalAction if field.annotation is bool else "store"
        options: dict[str, Any] = {} if field.annotation is bool else {"type": _reader(field), "metavar": _metavar(field)}
        group.add_argument(flag_of(name), dest=name, action=action, default=argparse.SUPPRESS, help=text, **options)


def config_from_arguments(
    arguments: argparse.Namespace, config_type: type[Config], base: Config | None = None
) -> Config:
    """The config with the given flags over `base` (or the defaults).

    Raises `CtmriError` naming the flag when the values do not go together.
    """
    given = {name: getattr(arguments, name) for name in config_type.model_fields if hasattr(arguments, name)}
    return validated(config_type, {**(base.model_dump() if base else {}), **given})


def validated(config_type: type[Config], values: dict[str, Any]) -> Config:
    """`values` (of a file, a form) as a config. Raises `CtmriError` naming field, value, and the nearest known field."""
    try:
        return config_type.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise CtmriError(f"There is no setting called {name!r}.{nearest_hint(name, config_type.model_fields)}") from None
        problem = first["msg"].removeprefix("Value error, ")
        raise CtmriError(f"{flag_of(name)} {first['input']!r}: {problem}." if name else f"{problem}.") from None


def _reader(field: FieldInfo) -> Callable[[str], Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    choices = _choices(field)

    def read(text: str) -> Any:
        if choices:
            matching = [choice for choice in choices if str(choice) == text]
            if not matching:
                listed = ", ".join(map(str, choices))
                raise argparse.ArgumentTypeError(f"{text!r} is none of {listed}.{nearest_hint(text, choices)}")
            return matching[0]
        try:
            return adapter.validate_strings(text)
        except ValidationError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error.errors()[0]['msg']}") from None

    return read


def _inner(field: FieldInfo) -> Any:
    """The field's type without `None`."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, type(int | None)):
        return next(part for part in get_args(annotation) if part is not NoneType)
    return annotation


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    inner = _inner(field)
    return get_args(inner) if get_origin(inner) is Literal else ()


def _metavar(field: FieldInfo) -> str:
    choices = _choices(field)
    if choices:
        return "{" + ",".join(map(str, choices)) + "}"
    return {int: "N", float: "X"}.get(_inner(field), "VALUE")


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    words = [
        f"{word} {getattr(part, key):g}" for part in field.metadata for key, word in signs.items() if hasattr(part, key)
    ]
    return f"; {' and '.join(words)}" if words else ""
