"""The application: routes, the services that handlers need, and the middleware around them."""
