"""Who did what, and when: added to, read, and never changed."""
