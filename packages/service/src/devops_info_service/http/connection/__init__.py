"""Connections of one process: event loop, listener, streams and the server around them."""
