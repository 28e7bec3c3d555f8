"""The image, and what runs beside it on one machine."""
