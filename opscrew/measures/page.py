"""Writes docs/NUMBERS.md from the catalogue, so that what a number means is said in one place."""

from __future__ import annotations

from opscrew.measures.catalogue import Measure, catalogue

HEAD = """# Numbers

What each number means. Written from `opscrew/measures/catalogue.yaml` by `make numbers`; a test holds the two together.

`crew measures query runs failures --by repository --since 7d` asks for any of them, and says beside the numbers of how
much of the whole they tell: which repositories have been read from when on, and of how many pipelines the steps are
known. `name:how` chooses how values are added up (`pipeline_duration:p95`); the first in the list is the usual one.

- A percentile is exact, over all runs, interpolated between the two nearest values. With fewer than 5 runs there is
  none: the runs themselves are shown.
- Days, weeks (from Monday) and hours are those of `timezone`; a day on which the clocks change has 23 or 25 hours.
- A build counts at the time of its first attempt, a pipeline at its creation, a step at its start, a finding, an action
  or an alert at the time at which it came, or was gone.
"""


def numbers_page() -> str:
    """The whole page as Markdown."""
    lines = [HEAD]
    for name, measure in catalogue().items():
        lines += [f"## `{name}`", "", *_told(measure), ""]
    return "\n".join(lines).rstrip() + "\n"


def _told(measure: Measure) -> list[str]:
    better = {"up": " More is better.", "down": " Less is better.", "neither": ""}[measure.good]
    return [
        f"{measure.title[0].upper()}{measure.title[1:]}. {measure.definition}{better}",
        "",
        f"- unit: {measure.unit}{', derived' if measure.derived else ''}; as {', '.join(measure.how)}",
        f"- by: {', '.join(measure.dimensions)}",
        f"- also called: {', '.join(measure.words)}",
    ]
