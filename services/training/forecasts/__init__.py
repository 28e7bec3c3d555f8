"""What is read: forecasts with quantiles, by the best rung of the ladder that can answer."""
