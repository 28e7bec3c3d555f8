"""What surrounds the service and is no part of it."""
