"""How operations arrive: over HTTP, and over WebSocket."""
