"""How accurate the engine is beside its peers, on real sales and by one protocol."""
