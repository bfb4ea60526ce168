"""What supports a law or weakens it: neighbours, test days, selection, detection, left-out rungs."""
