"""Each fact of the platform once: its place, label, format, metric and expectation."""
