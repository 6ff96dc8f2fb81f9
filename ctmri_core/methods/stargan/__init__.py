"""StarGAN (Choi et al. 2018)."""
