"""VAE-CycleGAN: a reconstruction of a published idea."""
