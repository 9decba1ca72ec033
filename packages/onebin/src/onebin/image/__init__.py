"""OCI images: built, written and checked with no engine."""
