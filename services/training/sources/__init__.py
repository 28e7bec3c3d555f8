"""Where sales, weather and traffic come from: connected, pulled, kept, laid beside the sales."""
