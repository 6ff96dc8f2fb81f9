"""The dialog in which window presets are changed."""
