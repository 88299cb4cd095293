"""What a sentence of the model may never do, whatever the evidence holds: tell people what to do, lead them elsewhere,
hand them a command, or say that all is well where something failed.

Logs are written by strangers and a model repeats what it reads, so an order in a log must not come out as the crew's
advice. What is dropped wrongly costs little, since the answer that code wrote stands. The words are in ``prose.yaml``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from opscrew.answer.packet import Fact
from opscrew.answer.prose.words import ProseWords, plain_letters, prose_words
from opscrew.model.citations import without_citations

CLAUSE = re.compile(
    r"[,;:!?(){}\[\]\"“”„»«*_|>=…]+|(?<!\w)['‘’`]|['’`](?!\w)|\s[-–—]+\s|—|\.\s|/\s"
    r"|\b(?:and|or|then|but|so|to fix \w+|please|kindly|just|simply)\b",
    re.IGNORECASE,
)
"""Where a clause may begin: after a mark, a quotation mark, a joining word."""

WORD = re.compile(r"[A-Za-z][A-Za-z'-]*|#?\d[\w.]*")
SPACED = re.compile(r"(?:\b\w[\s._*-]+){4,}\w\b")
"""Letters apart: "a p p r o v e"."""

LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
SWAPPED = re.compile(r"(?<![\w#.-])(?=\w*[a-z])(?=[\w@$!]*[013457@$!])[a-z013457@$!]{4,}(?![\w.-])", re.IGNORECASE)
"""A word with digits for letters: "d3l3te". Only orders are looked for in what it stands for."""

ASKED = re.compile(r"\byou (?:asked|wanted to know|wanted|wonder(?:ed)?)\b", re.IGNORECASE)
"""Speaks of the question. The claim check holds it against that."""

FOREIGN_WORDS = 2
"""Different ones; a single one may be part of a name."""

FORBIDS = re.compile(r"[\W\d_]*(?:do not|don'?t|never|stop|avoid|refrain)\b", re.IGNORECASE)
"""At the beginning of a sentence, whatever verb follows."""

COMMON_MARKS = frozenset("’‘“”«»–—…•·×→≥≤±°μ€£§\u2044")


def rule_broken(sentence: str, facts: Sequence[Fact], *, cited: Sequence[Fact], has_gaps: bool) -> str:
    """What is wrong with it; "" where nothing is. ``has_gaps`` says that some system did not answer."""
    words = prose_words()
    plain = _plain(without_citations(sentence))
    if problem := _writing(plain, words):
        return problem
    if any(pattern.search(plain) for pattern in words.about_itself):
        return "it speaks to the reader of the prompt"
    if _leads_away(plain, words):
        return "it holds a link"
    if _is_command(plain, cited, words):
        return "it holds a command"
    if plain.rstrip(" \"'”’`)]*_").endswith("?"):
        return "it asks instead of answering"
    if _is_order(plain, words) or _advises(plain, words):
        return "it tells people what to do"
    if _denies_failure(plain, facts, cited, words, has_gaps=has_gaps):
        return "it says that all is well, which the facts do not"
    return ""


def _denies_failure(
    text: str, facts: Sequence[Fact], cited: Sequence[Fact], words: ProseWords, *, has_gaps: bool
) -> bool:
    """Of everything at once, against all facts and what could not be looked at; of one thing, against what is cited."""
    if any(pattern.search(text) for pattern in words.all_clear):
        return has_gaps or not facts or _tell_of_failure(facts, words)
    return any(pattern.search(text) for pattern in words.well) and _tell_of_failure(cited or facts, words)


def _tell_of_failure(facts: Sequence[Fact], words: ProseWords) -> bool:
    return any(words.failure.search(fact.text) for fact in facts)


def _plain(text: str) -> str:
    """With plain letters and straight quotation marks."""
    return " ".join(plain_letters(text).replace("’", "'").replace("‘", "'").split())


def _writing(text: str, words: ProseWords) -> str:
    """Whether it is plain English at all: letters of other scripts and other languages escape every other rule."""
    if any(ord(mark) > 127 and mark not in COMMON_MARKS and not _is_latin(mark) for mark in text):
        return "it is not written in plain letters"
    if SPACED.search(text):
        return "its letters stand apart"
    if len(words.foreign & {word.lower() for word in WORD.findall(text)}) >= FOREIGN_WORDS:
        return "it is not in English"
    return ""


def _is_latin(mark: str) -> bool:
    return unicodedata.name(mark, "").startswith("LATIN ")


def _leads_away(text: str, words: ProseWords) -> bool:
    if any(pattern.search(text) for pattern in words.links):
        return True
    return bool(words.host_and_path.search(text)) and not words.paths_of.search(text)


def _is_command(text: str, cited: Sequence[Fact], words: ProseWords) -> bool:
    """``text`` holds something to paste that is not simply what the evidence says was run."""
    if any(pattern.search(text) for pattern in words.shell):
        return True
    seen = " ".join(_plain(f"{fact.source} {fact.text}").lower() for fact in cited)
    for match in _commands().finditer(text.lower()):
        written = " ".join(match[0].strip("`'\" ").split())
        following = written.split()[-1]
        if written not in seen and not _tells(following, words):
            return True
    return False


def _advises(text: str, words: ProseWords) -> bool:
    text = words.past.sub("", ASKED.sub("", text))
    return any(pattern.search(text) for pattern in words.advises)


def _is_order(text: str, words: ProseWords) -> bool:
    spelt = SWAPPED.sub(lambda match: match[0].translate(LOOK_ALIKE), text)
    if FORBIDS.match(text):
        return True
    return any(_is_order_at(clause, words) for clause in {*CLAUSE.split(text), *CLAUSE.split(spelt)})


def _is_order_at(clause: str, words: ProseWords) -> bool:
    """Whether ``clause`` begins with a verb in the form of an order."""
    found = [word.lower() for word in WORD.findall(clause)]
    while found and found[0] in words.before_orders:
        found = found[1:]
    if not found or found[1:2] == ["of"]:  # "Update of the image": a thing
        return False
    verb, rest = found[0], found[1:]
    if _is_one_of(verb, words.orders):
        return not rest or not _tells(rest[0], words)
    if not _is_one_of(verb, words.maybe_orders) or not rest:
        return False
    if rest[0] in words.objects:
        return True
    if rest[0].lstrip("#")[:1].isdigit():
        return False
    return not any(_tells(word, words) for word in rest)


def _is_one_of(verb: str, known: frozenset[str]) -> bool:
    """Also when it is to be done again: "re-approve"."""
    return verb in known or (verb.startswith("re") and verb[2:].lstrip("-") in known)


def _tells(word: str, words: ProseWords) -> bool:
    """A verb of what happened, so that the word before it is the thing it happened to."""
    is_past = word.endswith("ed") and len(word) > 4 and ("-" not in word or word.startswith("re-"))
    return word in words.told or is_past


@cache
def _commands() -> re.Pattern[str]:
    """A program with the word that follows it."""
    words = prose_words()
    return re.compile(
        rf"(?<![\w./-])[`'\"]?(?:\$ )?(?:{_any_of(words.programs)})\s+(?=[\w./$~-])[\w./$~:=@-]+"
        rf"|(?:`|\$ )(?:{_any_of(words.prose_programs)})\s+[\w./$~-][\w./$~:=@-]*"
        rf"|(?<![\w./-])(?:{_any_of(words.prose_programs)})\s+(?=-{{1,2}}\w|[.~]?/\w)[\w./$~:=@-]+"
    )


def _any_of(names: frozenset[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))
