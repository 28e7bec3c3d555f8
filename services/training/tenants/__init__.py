"""Who Morrow works for: tenants, their keys, and the record of what was done."""
