"""How to think: pure functions from a paste and answers to a diagnosis. No I/O, no clock, no randomness."""
