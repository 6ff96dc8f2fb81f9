"""Command line flags from a config type: one flag per field, its help, bounds and default from the field itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ctmri_core.config_fields import ConfigField, fields_of
from ctmri_core.errors import CtmriError
from ctmri_core.hints import nearest_hint

Config = TypeVar("Config", bound=BaseModel)


def flag_of(field: str) -> str:
    """`lambda_l1` -> `--lambda-l1`."""
    return "--" + field.replace("_", "-")


def add_config_arguments(
    parser: argparse.ArgumentParser, config_type: type[BaseModel], defaults: Mapping[str, Any] | None = None
) -> None:
    """Adds flags to `parser`, one per field of `config_type`, in groups. A flag that is not given leaves the default.

    `defaults`: where others than the fields' own are taken; help shows them. Values are checked as they are read, against the
    field's type and bounds; a wrong word names the nearest right one.
    """
    title = (config_type.__doc__ or config_type.__name__).strip().splitlines()[0].rstrip(".")
    groups: dict[str, Any] = {}
    for known in fields_of(config_type, defaults):
        heading = known.group or title
        if heading not in groups:
            groups[heading] = parser.add_argument_group(heading)
        field = config_type.model_fields[known.name]
        action = argparse.BooleanOptionalAction if known.kind == "bool" else "store"
        options: dict[str, Any] = {} if known.kind == "bool" else {"type": _reader(field, known), "metavar": _metavar(known)}
        groups[heading].add_argument(
            flag_of(known.name), dest=known.name, action=action, default=argparse.SUPPRESS, help=_help(known), **options
        )


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
        known = next((field for field in fields_of(config_type) if field.name == name), None)
        if known is None or first["type"] == "value_error":
            problem = first["msg"].removeprefix("Value error, ")
            raise CtmriError(f"{flag_of(name)} {first['input']!r}: {problem}." if name else f"{problem}.") from None
        raise CtmriError(f"{flag_of(name)}: {_problem(known, first['input'])}") from None


def _reader(field: FieldInfo, known: ConfigField) -> Callable[[str], Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())

    def read(text: str) -> Any:
        if known.choices:
            matching = [choice for choice in known.choices if str(choice) == text]
            if not matching:
                raise argparse.ArgumentTypeError(_problem(known, text))
            return matching[0]
        try:
            return adapter.validate_strings(text)
        except ValidationError:
            raise argparse.ArgumentTypeError(_problem(known, text)) from None

    return read


def _problem(known: ConfigField, value: object) -> str:
    """Why `value` cannot be taken, as a sentence: what would be."""
    if known.choices:
        return f"{value!r} is none of {', '.join(map(str, known.choices))}.{nearest_hint(str(value), known.choices)}"
    if known.kind in _NUMBERS:
        return f"{value!r} is no {_NUMBERS[known.kind]}{' that is ' if known.bounds else ''}{known.bounds}."
    return f"{value!r} does not fit: {known.help}."


def _help(known: ConfigField) -> str:
    default = {True: "yes", False: "no"}.get(known.default, known.default) if known.kind == "bool" else known.default
    shown = "" if default in (None, "") else f" (default: {default})"
    return f"{known.help}{f'; {known.bounds}' if known.bounds else ''}{shown}".replace("%", "%%")


def _metavar(known: ConfigField) -> str:
    if known.choices:
        return "{" + ",".join(map(str, known.choices)) + "}"
    return {"int": "N", "float": "X", "file": "FILE", "time": "HH:MM"}.get(known.kind, "TEXT")


_NUMBERS = {"int": "whole number", "float": "number"}
