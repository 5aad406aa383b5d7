"""The command line."""

from simulator.cli.app import main

__all__ = ["main"]
