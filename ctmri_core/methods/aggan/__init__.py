"""AGGAN, the first version of AttentionGAN (Tang et al. 2019)."""
