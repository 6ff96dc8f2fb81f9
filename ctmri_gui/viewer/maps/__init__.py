"""What is told of a synthetic picture voxel by voxel, in colours over it."""
