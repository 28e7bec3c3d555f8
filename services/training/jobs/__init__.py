"""What a tenant asks for: jobs, their pipeline, and the log that tells of them."""
