"""The manifests of deploy/ on a real Kubernetes and a real Swarm."""
