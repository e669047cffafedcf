"""How to talk: everything with a socket, a clock, a token or a file."""
