"""What `morrow demo` is made of."""
