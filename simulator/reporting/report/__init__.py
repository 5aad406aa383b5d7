"""The board report: pages made of a run's numbers, and the formats in which they are written."""
