"""The report of an evaluation, made of its folder alone: see `write`."""
