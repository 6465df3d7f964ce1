"""Engines: what turns evidence into sentences."""
