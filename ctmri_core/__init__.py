"""CT-MRI Studio without a window: volumes, translation, training and measurement."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ctmri-studio")
except PackageNotFoundError:  # run from a plain source tree
    __version__ = "0.0.0"

NOT_FOR_DIAGNOSIS = "synthetic, not for diagnosis"
