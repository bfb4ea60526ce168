"""Permute labels, and show windows their own label: inputs of the probe `shuffled_targets`."""

from __future__ import annotations

import dataclasses

import numpy as np

from tsladder.audit.subject import Floats, Subject
from tsladder.data.windows import Windows, WindowSet
from tsladder.vocabulary import Region


def permute(subject: Subject, windows: WindowSet, *, training: int, validation: int) -> Floats:
    """Return labels y_T of the first horizon, with those of the training and validation windows permuted by the task.
    `training` and `validation` number the permutation of each region; the same number gives the same labels."""
    y_T = subject.labels(subject.first_horizon).copy()
    for region, number in ((Region.TRAIN, training), (Region.VALIDATION, validation)):
        ends_N = windows.region(region).ends_N
        y_T[ends_N] = subject.label_audit.permuted(y_T[ends_N], subject.random("deal", region, number))
    return y_T


def label_among_inputs(windows: WindowSet, encoded_T: Floats) -> WindowSet:
    """Return `windows` with the label of each day as first column, of size about 1, scaled to the largest root mean
    square among the training columns."""
    x_NF = windows.train.last_day().astype(np.float64)
    amplitude = float(np.sqrt(np.square(x_NF).mean(axis=0)).max()) or 1.0

    def leaking(region: Windows) -> Windows:
        series_TF, scale_NF, shift_NF = region.series_TF.copy(), region.scale_NF.copy(), region.shift_NF.copy()
        series_TF[:, 0] = amplitude * encoded_T
        scale_NF[:, 0], shift_NF[:, 0] = 1.0, 0.0
        return dataclasses.replace(region, series_TF=series_TF, scale_NF=scale_NF, shift_NF=shift_NF)

    return dataclasses.replace(windows, train=leaking(windows.train), validation=leaking(windows.validation))
