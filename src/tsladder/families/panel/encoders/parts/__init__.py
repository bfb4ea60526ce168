"""The encoders' computations, which import torch."""
