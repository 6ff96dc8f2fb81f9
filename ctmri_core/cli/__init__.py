"""The command line: `ctmri --help` lists the commands; bare, it opens the window."""

from ctmri_core.cli.interrupts import ended_at_once

with ended_at_once():
    from ctmri_core.cli.main import main

__all__ = ["main"]
