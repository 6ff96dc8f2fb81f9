"""Work that runs beside the window."""
