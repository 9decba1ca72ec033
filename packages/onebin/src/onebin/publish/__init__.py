"""Destinations: where a finished image goes."""
