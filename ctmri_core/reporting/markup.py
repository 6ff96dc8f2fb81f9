"""HTML that cannot be broken by what it shows: text becomes part of it only escaped."""

from __future__ import annotations

from html import escape

from ctmri_core.errors import printable


class Markup(str):
    """Text that is HTML already. Only this package makes it."""

    __slots__ = ()


_VOID = frozenset({"meta", "br"})


def element(tag: str, *children: str, **attributes: str | int | None) -> Markup:
    """`<tag>` with children; those that are no `Markup` are escaped, and so are values of attributes, of which None is left out.

    `class_` becomes `class`, `data_value` becomes `data-value`.
    """
    given = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    told = "".join(f' {name}="{escaped(str(value))}"' for name, value in given)
    if tag in _VOID:
        return Markup(f"<{tag}{told}>")
    return Markup(f"<{tag}{told}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else escaped(child) for child in children))


def escaped(text: str) -> Markup:
    """In one line, and without letters that cannot be seen, which could turn the text around or hide a part of it."""
    return Markup(escape(printable(" ".join(text.split()))))
