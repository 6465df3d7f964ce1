"""Doors for machines: plain HTTP that ends in the same services as the graph."""
