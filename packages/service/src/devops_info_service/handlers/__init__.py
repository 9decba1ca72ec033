"""From a request to its response, one file a resource."""
