"""The HTTP/1.1 engine: bytes to requests to answers; it knows no route."""
