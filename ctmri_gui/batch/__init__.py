"""Many scans in the window: a folder translated into a folder."""
