"""SSIM-CycleGAN: CycleGAN with structural similarity in its cycle and spectral norm in its discriminators."""
