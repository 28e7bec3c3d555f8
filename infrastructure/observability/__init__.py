"""What is watched of the product: its metrics, what they are drawn as, and what they alert of."""
