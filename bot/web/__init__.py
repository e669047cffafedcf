"""The page: cases and the handbook, rendered here, for browsers with and without JavaScript."""
