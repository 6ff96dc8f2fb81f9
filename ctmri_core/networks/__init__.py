"""Network architectures of the published methods."""
