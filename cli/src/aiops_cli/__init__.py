"""The `aiops` command."""
