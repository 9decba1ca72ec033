"""What somebody expects of the platform, against what it gives."""
