"""The metrics: families, and their text formats for a scrape."""
