"""Labels drawn by people, in the formats that other programs keep them in: labelme, palette pictures, DICOM Segmentation."""
