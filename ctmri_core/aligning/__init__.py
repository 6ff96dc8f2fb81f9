"""Laying a volume on another one of the same patient: by registration or by hand, judged, and told in the volume's record."""
