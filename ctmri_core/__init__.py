"""CT-MRI Studio without a window: volumes, translation, training and measurement."""

from typing import TYPE_CHECKING

NOT_FOR_DIAGNOSIS = "synthetic, not for diagnosis"

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """`__version__` when it is asked for: the reader process need not wait for the tables of installed packages."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("ctmri-studio")
        except PackageNotFoundError:  # run from a plain source tree
            return "0.0.0"
