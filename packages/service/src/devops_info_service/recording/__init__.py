"""Recordings of a platform: what a report read, on disk, and a report of that anywhere."""
