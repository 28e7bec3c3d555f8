"""Who is calling: tenants by their keys and tokens, and the operator."""
