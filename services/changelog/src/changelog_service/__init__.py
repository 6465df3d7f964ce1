"""Changelogs: what changed, with every commit accounted for."""
