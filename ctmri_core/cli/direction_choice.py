"""From which kind of picture to which, where the user does not say: what the data hold, and what the method learns of it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ctmri_core.data.preparation_options import WITH_MASKS
from ctmri_core.domain import PICTURES, Direction, Domain
from ctmri_core.hints import nearest_hint
from ctmri_core.method import MethodCard

DIRECTION_HELP = (
    "for example ct_to_mr_t1; methods that learn both ways need it only where the data do not hold just two kinds of pictures"
)
_SOURCES = [domain.value for domain in PICTURES]
_TARGETS = [*_SOURCES, Domain.MASK.value]


def direction_argument(text: str) -> Direction:
    """The type of --direction."""
    words = text.partition("_to_")
    if not words[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no direction such as ct_to_mr_t1.{_nearest_direction(text)}")
    for word, known in ((words[0], _SOURCES), (words[2], _TARGETS)):
        if word not in known:
            hint = nearest_hint(word, known)
            raise argparse.ArgumentTypeError(f"{text!r}: {word!r} is none of {', '.join(known)}.{hint}")
    if words[0] == words[2]:
        raise argparse.ArgumentTypeError(f"{text!r} leads nowhere: name two kinds of pictures.")
    return Direction.parse(text)


def _nearest_direction(text: str) -> str:
    return nearest_hint(text, [f"{source}_to_{target}" for source in _SOURCES for target in _TARGETS if source != target])


def usual_direction(card: MethodCard, there: Sequence[Domain]) -> Direction | str:
    """The direction to take where none is given, or a sentence that asks for one.

    `there`: what the data hold, none where that is not known.
    """
    several = card.needs == "multi_domain"
    if not there:
        return f"--direction is needed, such as {card.example}: only reading the data would tell what they hold."
    if card.outlines:
        return _usual_outline(card, there)
    there = [domain for domain in there if domain in PICTURES]
    if len(there) == 1:
        return f"The data hold {there[0].label} alone; {card.title} learns from two kinds of pictures. Choose other data."
    if card.both_ways and (several or len(there) == 2):
        return Direction(there[0], there[1])
    if len(there) == 2:
        direction = Direction(there[0], there[1])
        return f"{card.title} learns one direction: say --direction {direction} or --direction {direction.reverse}."
    held = ", ".join(domain.value for domain in there)
    return f"The data hold {held}: say which two with --direction, such as {Direction(there[0], there[1])}."


def _usual_outline(card: MethodCard, there: Sequence[Domain]) -> Direction | str:
    if Domain.MASK not in there:
        return f"The data hold no masks, and {card.title} learns from them. {WITH_MASKS}"
    ways = [Direction(domain, Domain.MASK) for domain in there if domain in PICTURES]
    if len(ways) == 1:
        return ways[0]
    return f"{card.title} learns from one kind of picture: say --direction {' or --direction '.join(map(str, ways))}."


def told(card: MethodCard, there: Sequence[Domain]) -> str:
    """What is learnt where `usual_direction` chose."""
    if card.outlines:
        return f"{card.title} learns to outline what the masks of {there[0].label} show."
    there = [domain for domain in there if domain in PICTURES]
    learnt = there if card.needs == "multi_domain" else there[:2]
    labels = " and ".join((", ".join(domain.label for domain in learnt[:-1]), learnt[-1].label))
    return f"{card.title} learns to translate {labels} into each other, all that the data hold."
