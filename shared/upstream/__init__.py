"""Calling others over HTTP, who may be slow, broken, or hostile."""
