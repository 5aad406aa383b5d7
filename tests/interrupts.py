"""Commands that are interrupted in tests."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """To be called in a command before it begins: a shell lets what runs in its background, tests among it, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
