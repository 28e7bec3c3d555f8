"""Batches that were acknowledged while the database was away: on this host's disk, in order."""
