"""Weather and traffic laid beside the sales: as they came, and as they were foreseen."""
