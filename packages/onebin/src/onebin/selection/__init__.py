"""Which modules an executable needs."""
