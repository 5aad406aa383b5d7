"""`tco show`: the resolved study, where each value comes from, and its range."""

from __future__ import annotations

from simulator.cli.common import Overlays, Overrides, Quiet, Studies, load_or_end, print_rich, warn


def show(studies: Studies, overrides: Overrides = None, overlays: Overlays = None, quiet: Quiet = False) -> None:
    """Print a resolved study: each value, where it came from, its range."""
    loaded = load_or_end(studies, overlays, overrides)
    from simulator.reporting.listing import listing

    for _, study in loaded:
        print_rich(listing(study), 200)
        warn(study.warnings, quiet)
