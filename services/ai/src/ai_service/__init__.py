"""AI Ops Assistant."""
