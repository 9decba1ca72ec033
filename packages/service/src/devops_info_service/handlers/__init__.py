"""From a request to its answer, one file a resource."""
