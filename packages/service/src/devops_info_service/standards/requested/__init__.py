"""The Pod Security Standards applied to what a manifest requests."""
