"""A job followed to its end, across whatever cuts the stream."""
