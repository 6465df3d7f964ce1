"""The services as one operation sees them: stub and loaders, one module per service."""
