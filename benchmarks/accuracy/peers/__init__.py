"""Peers that need an environment of their own: run as a program there, over files."""
