"""Labels and masks: turns those that were drawn elsewhere into what training and other programs read.

To learn from them see `ctmri train deeplab_v3_plus`, to outline the body without a model `ctmri body`.
"""

from __future__ import annotations

import argparse

from ctmri_core.cli import segment_convert
from ctmri_core.cli.parser import Parser

_ACTIONS = {"convert": segment_convert}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    for name, module in _ACTIONS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        action = actions.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(action)
        action.set_defaults(act=module.run)


def run(arguments: argparse.Namespace) -> int:
    status: int = arguments.act(arguments)
    return status
