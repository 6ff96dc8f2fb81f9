"""Says the terms of models that may not be used commercially; hides them, or shows them again."""

from __future__ import annotations

import argparse

from ctmri_core.cli.terminal import Terminal
from ctmri_core.resources_folder import model_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--hide", action="store_true", help="hide them: they are neither listed nor chosen, here and in the window")
    ways.add_argument("--show", action="store_true", help="list and choose them again")


def run(arguments: argparse.Namespace) -> int:
    from ctmri_core.model_card import list_models
    from ctmri_core.model_card.terms import hide_noncommercial, hides_noncommercial, remember_said, shipped_terms, terms_of

    terminal = Terminal(as_json=False)
    if arguments.hide or arguments.show:
        hide_noncommercial(arguments.hide)
    cards = [entry.card for entry in list_models(model_folders()) if entry.card is not None and entry.card.noncommercial]
    for name, text in shipped_terms().items():
        terminal.say(f"{name}\n\n{text}")
    for card in cards:
        terminal.say(terms_of(card))
    if not cards:
        terminal.say("No model is here that may not be used commercially.")
    elif not arguments.hide:
        remember_said(cards)
    terminal.say(f"Such models are {'hidden' if hides_noncommercial() else 'shown'}.")
    return 0
