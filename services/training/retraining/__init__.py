"""Training series again by themselves, when enough has come since or their forecasts went wrong."""
