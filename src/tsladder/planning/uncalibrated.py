"""Warn of a study whose models are trained on another loss than the one its law is about. No torch."""

from __future__ import annotations

_MOVED = {
    "focal": "draws probabilities towards 1/2",
    "weighted_bce": "makes probabilities those of classes in balance, not of the classes as often as they are",
    "soft_auc": "sees the order of the logits alone and leaves their level and scale to chance",
    "label_smoothing": "keeps probabilities away from 0 and 1",
}
"""Training losses that shift the probabilities, and how. The two losses that are left out are the reported losses
themselves."""


def uncalibrated(loss: str, *, objective: str, monitor: str) -> str | None:
    """Return a warning where sigmoid(logit) is no probability after training on `loss`; None where it is.

    `objective` of the search and `monitor` of a training as in params.yaml: where they are validation losses, winners
    and epochs are chosen by figures that the training loss has distorted.
    """
    if loss not in _MOVED:
        return None
    by_loss = [
        leaf for leaf, value in (("search.objective", objective), ("training.monitor", monitor)) if value == "val_loss"
    ]
    chosen = f"; set {' and '.join(by_loss)} to val_auc to choose by that" if by_loss else ""
    return (
        f"the models are trained on {loss}, which {_MOVED[loss]}, and are reported by the log loss of sigmoid(logit): "
        "loss, skill and verdict count that as error, so a bad figure need not mean that a model knows little, nor a "
        "falling one that it knows more. Read the AUC, and the loss at the temperature fitted on validation"
        f"{chosen}. A law of losses is asked with training.loss bce"
    )
