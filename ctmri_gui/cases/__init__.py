"""The cases that are open at once: each a scan with its synthetic twin, its truth and the work on them."""
