"""The command line: `ctmri translate | train | models | info | demo`; bare, it opens the window."""

from ctmri_core.cli.main import main

__all__ = ["main"]
