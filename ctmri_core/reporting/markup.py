"""HTML that cannot be broken by what it shows: text becomes part of it only escaped."""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is HTML already. Only this package makes it."""

    __slots__ = ()


_VOID = frozenset({"meta", "br"})


def element(tag: str, *children: str, **attributes: str | int | None) -> Markup:
    """`<tag>` with children; those that are no `Markup` are escaped, and so are values of attributes, of which None is left out.

    `class_` becomes `class`, `data_value` becomes `data-value`.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items() if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{told}>")
    return Markup(f"<{tag}{told}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))
