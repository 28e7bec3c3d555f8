"""The sample bakery's till, weather and traffic, served over HTTP as suppliers would."""
