"""Weather: as it came and as it was foreseen, by cell of a grid, with when each was known."""
