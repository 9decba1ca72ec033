"""Recordings of a platform: the files of a report, and the report of such files."""
