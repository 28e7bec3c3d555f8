"""Rows sent to the API, in as many imports as a tenant's limits ask for."""
