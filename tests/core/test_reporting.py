"""Pieces that reports are made of: numbers as they are written, markup that nothing breaks, figures without global state."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctmri_core.errors import printable
from ctmri_core.reporting.document import listed, number
from ctmri_core.reporting.drawing import COLOURS, Drawing, as_pixels, as_svg
from ctmri_core.reporting.lettering import drawable
from ctmri_core.reporting.markup import element
from tests.core.page_reader import PageReader


@pytest.mark.parametrize("value, decimals, text", [
    (61.04, 1, "61.0"), (-3.25, 2, "−3.25"), (0.98214, 4, "0.9821"), (None, 1, "–"), (float("nan"), 1, "–"),
    (float("inf"), 2, "∞"), (float("-inf"), 2, "−∞"), (1234.5678, None, "1235"), (0.0123456, None, "0.01235"), (0.0, None, "0"),
    (-0.04, 1, "0.0"),
])  # fmt: skip
def test_numbers_as_they_are_written(value: float | None, decimals: int | None, text: str) -> None:
    assert number(value, decimals).text == text


def test_differences_have_a_sign() -> None:
    assert [number(value, 1, signed=True).text for value in (2.0, -2.0)] == ["+2.0", "−2.0"]


def test_long_lists_end() -> None:
    assert listed(range(1, 4)) == "1, 2, 3"
    assert listed(range(500), 2) == "0, 1 and 498 more"


@given(st.text(), st.text())
def test_markup_says_what_it_was_given(text: str, attribute: str) -> None:
    page = PageReader(element("p", text, title=attribute))
    assert page.text == printable(" ".join(text.split()))
    assert [value for _, _, value in page.attributes] == [printable(" ".join(attribute.split()))]


def test_letters_without_a_form_become_squares() -> None:
    assert drawable("σ ≥ −1 → Ж é") == "σ ≥ −1 → Ж é"
    assert drawable("日\u202e\nx") == "□□ x"


def paint(figure: Any) -> None:
    axes = figure.add_subplot()
    axes.plot([1, 2], [3, 4], label="$a_b$ <x> -->")
    axes.imshow(np.arange(12).reshape(3, 4), extent=(1, 2, 3, 4))
    axes.legend()


def test_a_figure_is_one_element_with_the_ink_of_the_page() -> None:
    drawn = as_svg(Drawing(120, 60, paint), "one")
    root = ElementTree.fromstring(drawn)
    assert root.tag == "svg"
    assert "currentColor" in drawn and "#1c2126" not in drawn
    names = [found.attrib["id"] for found in root.iter() if "id" in found.attrib]
    assert names and all(name.startswith("one-") for name in names)
    assert not [found for found in root.iter() if found.tag in ("text", "metadata", "script")]
    assert drawn == as_svg(Drawing(120, 60, paint), "one")


def test_pixels_are_as_large_as_asked_for() -> None:
    assert as_pixels(Drawing(50.8, 76.2, paint, 50)).shape == (150, 100, 3)


def test_settings_of_matplotlib_neither_come_in_nor_are_changed() -> None:
    plain = as_svg(Drawing(60, 40, paint), "x")
    with matplotlib.rc_context({"text.usetex": True, "axes.facecolor": "red", "font.size": 30.0}):
        assert as_svg(Drawing(60, 40, paint), "x") == plain
        kept = [matplotlib.rcParams[name] for name in ("text.usetex", "axes.facecolor", "font.size", "svg.fonttype")]
        assert kept == [True, "red", 30.0, "path"]


def test_colours_are_told_apart_by_every_kind_of_sight() -> None:
    """Machado, Oliveira and Fernandes 2009, severity 1: with red-, green- or blue-blindness no two colours fall together."""
    seen = {
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    }
    colours = np.array([[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in COLOURS])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    for matrix in seen.values():
        shown = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        apart = np.linalg.norm(shown[:, None] - shown[None], axis=-1)
        assert apart[~np.eye(len(COLOURS), dtype=bool)].min() > 0.1
