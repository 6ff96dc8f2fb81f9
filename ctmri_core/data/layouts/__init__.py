"""How collections of scans lie on disk: one module per layout, each recognised by looking."""
