"""Loss functions of the published methods."""
