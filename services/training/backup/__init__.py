"""All that Morrow keeps, copied elsewhere and brought back: the database, and its artifacts."""
