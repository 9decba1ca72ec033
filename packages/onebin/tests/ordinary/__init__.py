"""Ordinary projects, generated: back end, layout, version, start, data, dependencies, lock."""
