"""`python -m ctmri_core.cli`."""

import sys

from ctmri_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
