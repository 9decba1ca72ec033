"""Kubernetes manifests: their text, the pods in it, and requests beside grants."""
