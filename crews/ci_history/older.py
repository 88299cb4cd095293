"""Goes back in time, one page of a repository after the other, those first of which least is known.

Bitbucket's pages are counted from the newest pipeline, which moves. So page and length are worked out from what is
stored, so that the page begins with what is known, and it counts only when it does: nothing lies between the two.
"""

from __future__ import annotations

from crews.ci_history.requests import Asking
from crews.ci_history.seen import keep_since
from crews.runtime.context import CrewContext
from opscrew.ci_history.coverage import Coverage, after_older, connects
from opscrew.ci_history.keeping import keep_pipelines
from opscrew.ci_history.wanted import place_of
from tools.bitbucket.pipeline_page import LONGEST_PAGE, PipelinePage

MOST_TRIES = 4
"""Pages asked for to find the one that joins. A fifth would mean that the list moves faster than it is read."""


class Older:
    """``known`` is changed as it grows."""

    def __init__(self, context: CrewContext, asking: Asking, known: dict[str, Coverage]) -> None:
        self._context, self._asking, self._known = context, asking, known

    def read(self, *, most: int) -> None:
        """Sends at most about ``most`` requests."""
        until = self._asking.left - most
        while self._asking.left > max(0, until):
            open_ones = [one for one in self._known.values() if self._is_open(one)]
            if not open_ones:
                return
            latest = max(open_ones, key=lambda one: (one.complete_since, one.repository))
            if not self._go_back(latest):
                del self._known[latest.repository]  # not again in this run

    @staticmethod
    def _is_open(one: Coverage) -> bool:
        return one.complete_since is not None and not one.is_whole and not one.refused

    def _go_back(self, known: Coverage) -> bool:
        """Whether it got on."""
        place, longest, behind_the_end = place_of(self._context.engine, known), LONGEST_PAGE, 0
        number, length = page_for(place, longest)
        for _ in range(MOST_TRIES):
            page = self._asking.page(self._context, known, number, length)
            if page is None:
                return False
            if page.length < length:  # the server gives no longer ones
                number, length = page_for(place, page.length)
                continue
            created = [one.created_on for one in page.pipelines]
            if not created and number > 1:
                behind_the_end, number = number, number - 1
            elif not connects(known, created) and number > 1:
                number -= 1
            elif self._kept(known, page, is_last=page.is_last or number + 1 == behind_the_end):
                return True
            else:
                number += 1
        return False

    def _kept(self, known: Coverage, page: PipelinePage, *, is_last: bool) -> bool:
        """Stores the page. False when it brought nothing older than what is known."""
        now, oldest = self._context.clock(), keep_since(self._context)
        created = [one.created_on for one in page.pipelines]
        grown = after_older(known, created, now, is_last=is_last, keep_since=oldest)
        wanted = [one for one in page.pipelines if one.created_on >= oldest]
        keep_pipelines(self._context.engine, known.repository, wanted, now, grown)
        self._known[known.repository] = grown
        return grown.complete_since != known.complete_since or grown.is_whole


def page_for(place: int, longest: int) -> tuple[int, int]:
    """Number and length of the page that holds the pipeline at ``place`` (from 0) and the most that stand behind it.

    With pages of one length, the next would often begin just behind it, and then nothing shows that they join.
    """
    length = max(range(longest, longest // 2, -1), key=lambda length: length - place % length)
    return place // length + 1, length
