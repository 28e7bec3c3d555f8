"""Traffic: an index of each day at each location, told by day or measured by the hour."""
