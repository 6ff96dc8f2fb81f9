"""DeepLabV3+ (Chen et al. 2018)."""
