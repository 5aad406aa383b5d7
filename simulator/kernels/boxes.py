"""Counts of trials by bin of each input: what a search for boxes in the space of inputs looks at."""

from __future__ import annotations

from simulator.kernels.jit import jit


@jit
def count_by_bin(places, members, hit, counts):
    """Trials and hits among some trials, by bin of each input.

    places  int64[columns, n]: each trial's bin; members int64[m]: the trials looked at; hit int64[n], 1 or 0
    counts  int64[columns, bins, 2], filled: trials, and those that are hits
    """
    counts[:] = 0
    for c in range(places.shape[0]):
        place, count = places[c], counts[c]
        for m in range(members.size):
            i = members[m]
            count[place[i], 0] += 1
            count[place[i], 1] += hit[i]
