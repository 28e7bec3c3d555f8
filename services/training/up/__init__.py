"""`morrow up`: everything in one command, watched over until it is told to stop."""

from services.training.up.options import Commands, UpOptions
from services.training.up.run import run_up

__all__ = ["Commands", "UpOptions", "run_up"]
