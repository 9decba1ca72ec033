"""The load generator: connections that send requests, and a count of what came back."""
