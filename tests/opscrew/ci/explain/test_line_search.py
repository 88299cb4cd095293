"""The lines that an expression finds are told by their numbers, each once."""

from __future__ import annotations

import re2

from opscrew.ci.explain.line_search import lines_found

ERROR = re2.compile(b"error")


def test_lines_are_numbered_from_nought_and_named_once() -> None:
    assert lines_found(ERROR, b"error\nwarning\n\nerror and error\nno error") == [0, 3, 4]


def test_nothing_is_found_in_an_empty_text_nor_where_nothing_matches() -> None:
    assert lines_found(ERROR, b"") == []
    assert lines_found(ERROR, b"\n\nwarning\n") == []


def test_what_fits_a_line_as_a_whole_is_found_at_the_beginning_between_and_at_the_end() -> None:
    whole = re2.compile(rb"(?m)^done\.?$")
    assert lines_found(whole, b"done\nnot done\ndone.\ndone it\ndone") == [0, 2, 4]
