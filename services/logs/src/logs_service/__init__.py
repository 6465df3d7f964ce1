"""The logs service: ingested lines, mined patterns and checked summaries."""
