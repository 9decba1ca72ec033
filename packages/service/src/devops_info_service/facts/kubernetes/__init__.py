"""Facts that Kubernetes leaves in a pod: claims, the downward API, requests, identity."""
