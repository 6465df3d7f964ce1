"""Engines: what words evidence and changes, and triages tickets."""
