"""What keeps one fault from becoming everybody's: breakers, a budget for retries, limits on work (docs/adr/0039)."""
