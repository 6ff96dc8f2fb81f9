"""Lengths, angles and regions on the pictures: drawing, listing, their numbers, profiles and joint histograms."""
