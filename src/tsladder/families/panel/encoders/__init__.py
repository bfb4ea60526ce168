"""The encoders of the sessions of each stock, one module for each family that has one, loaded by the family's name."""
