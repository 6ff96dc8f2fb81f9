"""Pictures, grids of slices and films of what the panes show; and cine, which plays it on the screen."""
