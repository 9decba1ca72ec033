"""Facts about the platform: each is known with its evidence, or unknown with the reason."""
