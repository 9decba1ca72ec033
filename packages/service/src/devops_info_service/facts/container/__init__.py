"""Facts that a container engine's traces give away."""
