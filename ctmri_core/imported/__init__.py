"""Models that other programs made: their settings and their networks. They translate, and are never trained here."""
