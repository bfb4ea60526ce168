"""Curves of loss against size alone: power law, floor, over-fitting, and the choice of a form."""
