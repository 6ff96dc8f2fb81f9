"""Laying the truth on the source in the viewer: found in the background, looked at, accepted or not."""
