"""REST, version 1: what tools speak with."""
