"""A fenced task queue on PostgreSQL that does not know what it carries."""
