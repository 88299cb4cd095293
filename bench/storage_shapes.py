"""Growth series whose future is known, because it was made: each says in how many days it will be full.

Written down before the forecast was changed, after what teams report of their volumes: steady growth, a burst after
quiet months, a pace that changes and stays, clean-ups, seasons, values that are missing, volumes of a few days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

GIB = 2**30
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEVER = float("inf")
Random = np.random.Generator


@dataclass(frozen=True)
class Shape:
    """``days`` until full at what the series does now; infinite where it never will be."""

    kind: str
    values: tuple[float | None, ...]
    step: timedelta
    capacity: float
    days: float


def shapes(seed: int, each: int) -> Iterator[Shape]:
    """``each`` of every kind."""
    for number, make in enumerate(KINDS):
        for place in range(each):
            yield make(np.random.default_rng([seed, number, place]))


def _made(
    kind: str, random: Random, line: np.ndarray, rate: float, *, noise: float = 0.0, days: float | None = None
) -> Shape:
    """A series that ends at ``line[-1]`` and grows by ``rate`` a step from there, in a volume that is as full as chance
    will have it: 3 to 45 days are left, or it is given."""
    left = float(np.exp(random.uniform(np.log(3), np.log(45)))) if days is None else days
    values = line + random.normal(0, noise, len(line)) if noise else line
    step = HOUR if "hourly" in kind else DAY
    capacity = float(line[-1] + rate * left * (DAY / step))
    return Shape(kind, tuple(np.maximum(values, 0).tolist()), step, capacity, left)


def _size(random: Random) -> float:
    return float(np.exp(random.uniform(np.log(5), np.log(500)))) * GIB


def linear(random: Random) -> Shape:
    size, count = _size(random), int(random.integers(30, 120))
    rate = size * random.uniform(0.002, 0.01)
    line = size + rate * np.arange(count)
    return _made("linear", random, line, rate, noise=rate * random.uniform(0, 0.6))


def young(random: Random) -> Shape:
    size, count = _size(random), int(random.integers(3, 12))
    rate = size * random.uniform(0.02, 0.1)
    return _made("young", random, size + rate * np.arange(count), rate, noise=rate * random.uniform(0, 0.1))


def hourly(random: Random) -> Shape:
    size, count = _size(random), int(random.integers(48, 330))
    rate = size * random.uniform(0.0002, 0.001)
    return _made("hourly", random, size + rate * np.arange(count), rate, noise=rate * random.uniform(0, 1))


def burst(random: Random) -> Shape:
    size, quiet, lasted = _size(random), int(random.integers(30, 100)), int(random.integers(2, 8))
    rate = size * random.uniform(0.05, 0.5)
    line = np.concatenate([np.full(quiet, size), size + rate * np.arange(1, lasted + 1)])
    return _made("burst", random, line, rate, noise=size * random.uniform(0, 0.005))


def hourly_burst(random: Random) -> Shape:
    size, quiet, lasted = _size(random), int(random.integers(240, 600)), int(random.integers(12, 72))
    rate = size * random.uniform(0.01, 0.1)
    line = np.concatenate([np.full(quiet, size), size + rate * np.arange(1, lasted + 1)])
    left = float(np.exp(random.uniform(np.log(0.5), np.log(10))))
    return _made("burst, hourly", random, line, rate, noise=size * random.uniform(0, 0.01), days=left)


def faster(random: Random) -> Shape:
    size, before, lasted = _size(random), int(random.integers(40, 100)), int(random.integers(5, 25))
    slow = size * random.uniform(0.0005, 0.003)
    rate = slow * random.uniform(3, 12)
    line = np.concatenate(
        [size + slow * np.arange(before), size + slow * (before - 1) + rate * np.arange(1, lasted + 1)]
    )
    return _made("faster", random, line, rate, noise=slow * random.uniform(0, 0.5))


def slower(random: Random) -> Shape:
    size, before, lasted = _size(random), int(random.integers(40, 100)), int(random.integers(10, 30))
    fast = size * random.uniform(0.005, 0.02)
    rate = fast * random.uniform(0.1, 0.3)
    line = np.concatenate(
        [size + fast * np.arange(before), size + fast * (before - 1) + rate * np.arange(1, lasted + 1)]
    )
    return _made("slower", random, line, rate, noise=rate * random.uniform(0, 0.3))


def stopped(random: Random) -> Shape:
    size, before, lasted = _size(random), int(random.integers(40, 100)), int(random.integers(12, 30))
    fast = size * random.uniform(0.005, 0.02)
    top = size + fast * before
    line = np.concatenate([size + fast * np.arange(before), np.full(lasted, top)])
    made = _made("stopped", random, line, fast, noise=fast * random.uniform(0, 0.05))
    return Shape(made.kind, made.values, made.step, made.capacity, NEVER)


def flat(random: Random) -> Shape:
    size, count = _size(random), int(random.integers(30, 120))
    values = size + random.normal(0, size * 0.002, count)
    return Shape("flat", tuple(values.tolist()), DAY, size * random.uniform(1.02, 1.3), NEVER)


def teeth(random: Random) -> Shape:
    size, period = _size(random), int(random.integers(5, 31))
    count = int(random.integers(4, 7)) * period + int(random.integers(1, period))
    height = size * random.uniform(0.2, 0.8)
    values = size + height * (np.arange(count) % period) / period + random.normal(0, size * 0.003, count)
    return Shape("saw-tooth", tuple(values.tolist()), DAY, (size + height) * random.uniform(1.04, 1.2), NEVER)


def cleaned(random: Random) -> Shape:
    size, before, after = _size(random), int(random.integers(30, 70)), int(random.integers(12, 40))
    rate = size * random.uniform(0.004, 0.01)
    line = size + rate * np.arange(before + after)
    line[before:] -= rate * before * random.uniform(0.4, 0.9)
    return _made("one clean-up", random, line, rate, noise=rate * random.uniform(0, 0.3))


def imported(random: Random) -> Shape:
    """A leap and quiet after it: it says nothing of a pace."""
    size, before, after = _size(random), int(random.integers(30, 90)), int(random.integers(3, 15))
    leap = size * random.uniform(0.2, 0.6)
    line = np.concatenate([np.full(before, size), np.full(after, size + leap)])
    values = line + random.normal(0, size * 0.002, len(line))
    return Shape("one leap", tuple(values.tolist()), DAY, (size + leap) * random.uniform(1.1, 1.5), NEVER)


def weekly(random: Random) -> Shape:
    size, count = _size(random), int(random.integers(42, 120))
    rate = size * random.uniform(0.003, 0.01)
    swing = rate * random.uniform(0.5, 2) * np.sin(2 * np.pi * (np.arange(count) + random.integers(7)) / 7)
    made = _made("week's rhythm", random, size + rate * np.arange(count), rate, noise=rate * 0.1)
    return Shape(made.kind, tuple((np.array(made.values) + swing - swing[-1]).tolist()), DAY, made.capacity, made.days)


def missing(random: Random) -> Shape:
    made = linear(random)
    values = list(made.values)
    for place in random.choice(len(values) - 1, len(values) // 6, replace=False):
        values[int(place)] = None
    values[int(random.integers(1, len(values)))] = 0.0
    return Shape("gaps and a zero", tuple(values), made.step, made.capacity, made.days)


def compound(random: Random) -> Shape:
    size, count, share = _size(random), int(random.integers(40, 100)), random.uniform(0.005, 0.02)
    values = size * (1 + share) ** np.arange(count)
    left = float(np.exp(random.uniform(np.log(3), np.log(30))))
    return Shape("compound", tuple(values.tolist()), DAY, float(values[-1] * (1 + share) ** left), left)


def irregular(random: Random) -> Shape:
    """Grows by another amount each day, as data of people does."""
    size, count = _size(random), int(random.integers(40, 120))
    rate = size * random.uniform(0.004, 0.01)
    steps = random.gamma(2, rate / 2, count)
    return _made("irregular", random, size + np.cumsum(steps), rate)


def stairs(random: Random) -> Shape:
    """An import each week."""
    size, count, every = _size(random), int(random.integers(50, 120)), int(random.integers(5, 9))
    leap = size * random.uniform(0.02, 0.06)
    line = size + leap * (np.arange(count) // every)
    left = float(np.exp(random.uniform(np.log(3 * every), np.log(60))))
    return _made("stairs", random, line, leap / every, days=left, noise=leap * 0.01)


def drifting_teeth(random: Random) -> Shape:
    """Cleaned up again and again, and each time less is gained."""
    size, period = _size(random), int(random.integers(5, 11))
    count = 8 * period
    drift, height = size * random.uniform(0.01, 0.02), size * random.uniform(0.1, 0.3)
    at = np.arange(count + 60)
    line = size + drift * at + height * (at % period) / period
    capacity = float(line[: count + int(random.integers(3, 40))].max())
    left = int(np.argmax(line[count:] >= capacity)) + 1
    return Shape("drifting teeth", tuple(line[:count].tolist()), DAY, capacity, float(left))


def nightly(random: Random) -> Shape:
    """Hour by hour, with a backup that comes and goes each night."""
    size, count = _size(random), int(random.integers(24 * 10, 24 * 40))
    rate, backup = size * random.uniform(0.0002, 0.0006), size * random.uniform(0.02, 0.1)
    line = size + rate * np.arange(count)
    swing = backup * (np.arange(count) % 24 < 3)
    left = float(np.exp(random.uniform(np.log(4), np.log(40))))
    capacity = float(line[-1] + rate * left * 24 + backup)
    return Shape("nightly backup", tuple((line + swing).tolist()), HOUR, capacity, left)


KINDS: tuple[Callable[[Random], Shape], ...] = (
    *(linear, young, hourly, burst, hourly_burst, faster, slower, stopped, flat, teeth, cleaned, imported, weekly),
    *(missing, compound, irregular, stairs, drifting_teeth, nightly),
)
