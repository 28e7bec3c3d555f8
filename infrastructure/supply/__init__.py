"""What the product is made of: its locked packages, their known faults, and no secrets."""
