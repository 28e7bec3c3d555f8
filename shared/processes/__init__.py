"""Processes that are started, watched, restarted, and never left behind."""
