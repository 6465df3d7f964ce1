"""The graph: one module of owned types per service, and `edges` for every field that crosses services."""
