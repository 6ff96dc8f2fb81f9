"""Network architectures: layers only; no losses, no data, no optimisation."""
