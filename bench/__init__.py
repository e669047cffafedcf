"""How fast whydrop thinks."""
