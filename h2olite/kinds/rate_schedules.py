"""The schedules of the learning rate, one record each: by which factor all steps are multiplied during a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

RateScheduleChoice = Literal["Constant", "Linear", "Cosine", "CosLog"]
"""The values of the parameter `rate_schedule`."""

CONSTANT, LINEAR, COSINE, COS_LOG = range(4)
"""The numbers by which kernels tell schedules apart."""


class RateSchedule(NamedTuple):
    """What is known of a schedule.

    name : as users write it.
    code : its number in the kernels.
    factor : its formula, of the share t of the training that is done. Kernels have it compiled.
    """

    name: str
    code: int
    factor: Callable[[float], float]


def constant(t: float) -> float:
    """The factor 1."""
    return 1.0


def linear(t: float) -> float:
    """From 1 to 0: 1 - t."""
    return 1.0 - t


def cosine(t: float) -> float:
    """From 1 to 0, slowly at both ends: (1 + cos(pi t)) / 2 (Loshchilov and Hutter 2017)."""
    return (1.0 + math.cos(math.pi * t)) / 2.0


def cos_log(t: float) -> float:
    """Four waves from 0 to 1 and back, each twice as long as the one before: (1 - cos(2 pi log2(1 + 15 t))) / 2.

    References: Holzmueller, Grinsztajn and Steinwart 2024 (RealMLP).
    """
    return (1.0 - math.cos(2.0 * math.pi * math.log2(1.0 + 15.0 * t))) / 2.0


RATE_SCHEDULES = {
    schedule.name: schedule
    for schedule in (
        RateSchedule("Constant", CONSTANT, constant),
        RateSchedule("Linear", LINEAR, linear),
        RateSchedule("Cosine", COSINE, cosine),
        RateSchedule("CosLog", COS_LOG, cos_log),
    )
}
"""All schedules by name."""
