"""One step a module; each names the one before it."""
