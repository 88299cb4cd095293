"""Does a re-run rescue? What experience says about one signature in one repository.

A signature is only an author's guess. Each re-run that it led to either passed or failed again, and a Beta
distribution over the rescue rate sums these up. A signature whose rate is surely too low is no longer acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log1p

PRIOR_PASSED, PRIOR_FAILED = 2, 1
"""Counted before the first re-run. Two passes against one failure (a mean of 67 %) says that the allow-list is right
more often than not; as little as three re-runs weigh, own experience soon outweighs it."""

TAIL = 0.05
"""The interval leaves this much out on either side: the rate lies inside with 90 % probability."""

WORTHWHILE_RATE = 0.5
"""Below one rescue in two tries, a re-run mostly delays the news. With the prior, six failures in a row prove it."""


@dataclass(frozen=True, slots=True)
class RescueRecord:
    """How many re-runs passed, and how many failed again."""

    passed: int
    failed: int

    def __post_init__(self) -> None:
        if self.passed < 0 or self.failed < 0:
            raise ValueError("a rescue record counts re-runs, so it cannot be negative")


@dataclass(frozen=True, slots=True)
class RescueEstimate:
    """The rescue rate between 0 and 1, with its 90 % interval.

    ``demoted`` means that even the upper end is below ``WORTHWHILE_RATE``. ``text`` says it all in one sentence.
    """

    mean: float
    low: float
    high: float
    demoted: bool
    text: str


def rescue_estimate(record: RescueRecord) -> RescueEstimate:
    """The posterior of ``record`` under the prior: Beta(passed + 2, failed + 1)."""
    alpha, beta = record.passed + PRIOR_PASSED, record.failed + PRIOR_FAILED
    mean = alpha / (alpha + beta)
    low, high = beta_quantile(TAIL, alpha, beta), beta_quantile(1 - TAIL, alpha, beta)
    demoted = high < WORTHWHILE_RATE
    return RescueEstimate(mean, low, high, demoted, _text(record, mean, low, high, demoted))


def beta_quantile(probability: float, alpha: int, beta: int) -> float:
    """Where the Beta distribution's cumulative probability reaches ``probability``, to 1e-9, by bisection."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if _beta_cumulative(middle, alpha, beta) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cumulative(rate: float, alpha: int, beta: int) -> float:
    """P(X ≤ rate). For whole numbers it is a binomial tail (Abramowitz and Stegun, 26.5.24), so no library is needed.

    The shorter tail is summed, so that the usual case of few failures stays cheap however many re-runs there were.
    """
    trials = alpha + beta - 1
    if alpha <= beta:
        return 1.0 - sum(_binomial(trials, hits, rate) for hits in range(alpha))
    return sum(_binomial(trials, hits, rate) for hits in range(alpha, trials + 1))


def _binomial(trials: int, hits: int, rate: float) -> float:
    """In logarithms, since the coefficient alone leaves the range of floats at about a thousand re-runs."""
    coefficient = lgamma(trials + 1) - lgamma(hits + 1) - lgamma(trials - hits + 1)
    return exp(coefficient + hits * log(rate) + (trials - hits) * log1p(-rate))


def _text(record: RescueRecord, mean: float, low: float, high: float, demoted: bool) -> str:
    tried = record.passed + record.failed
    seen = f"{record.passed} of {tried} re-runs passed" if tried else "no re-run yet"
    estimate = f"expected rescue rate {mean:.0%} (90 % interval {low:.0%} to {high:.0%})"
    return f"{seen}; {estimate}" + ("; too low, so it is no longer re-run by itself" if demoted else "")
