"""A run, as it goes on or as it went: how far, how well, and what may be asked of it."""
