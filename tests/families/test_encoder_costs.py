"""What differs between stages of encoder blocks; what all families promise of their costs is in contract.py."""

from __future__ import annotations

from tests.families.contract import wide_spec

from tsladder.families.informer import Informer
from tsladder.families.parts.activations import block_bytes


def test_the_informer_keeps_less_of_later_blocks() -> None:
    deep = wide_spec("informer", 6)
    stages = Informer().stem(deep.geometry, deep.n_layers).stages
    kept = [block_bytes(deep, stage, 4) for stage in stages]
    assert len(kept) == 4
    assert kept == sorted(kept, reverse=True)
