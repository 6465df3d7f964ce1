"""gRPC as the services speak it: one way to serve, one way to call."""
