"""Expectations of the platform, and whether it meets them."""
