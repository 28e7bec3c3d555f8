"""Sales from outside: read in pages, put in on the way that pushed ones take."""
