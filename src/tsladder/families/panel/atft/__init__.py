"""The parts of the family `atft_gat_fan`, one module each."""
