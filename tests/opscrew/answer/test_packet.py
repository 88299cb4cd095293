"""Evidence is numbered, said once, redacted, and cut to the budget."""

from datetime import UTC, datetime

from tokenizers import Tokenizer, models, pre_tokenizers

from opscrew.answer.packet import Fact, number_facts, pack
from opscrew.answer.tokens import token_counter, tokenizer_file
from opscrew.memory.prompt_view import estimated_tokens

AT = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def test_the_best_comes_first_and_each_statement_once() -> None:
    found = number_facts(
        [Fact("a", "less", AT, weight=1), Fact("b", "more", AT, weight=9), Fact("c", "LESS ", AT, weight=0)]
    )
    assert [(fact.id, fact.text) for fact in found] == [("E1", "more"), ("E2", "less")]


def test_secrets_and_long_lines_do_not_get_in() -> None:
    (fact,) = number_facts([Fact("log", "password=hunter2hunter2 " + "x" * 5_000, AT)])
    assert "hunter2" not in fact.text
    assert len(fact.text) <= 420


def test_frames_of_tools_are_no_facts() -> None:
    assert number_facts([Fact("log", "│", AT), Fact("log", "  ", AT)]) == ()


def test_a_packet_stays_within_its_budget_and_says_what_was_left_out() -> None:
    facts = number_facts([Fact("log", f"line {number} " + "word " * 40, AT, weight=-number) for number in range(40)])
    packet = pack(facts, 500, estimated_tokens, UTC)
    assert packet.tokens <= 520
    assert packet.left_out > 0
    assert packet.text.startswith("E1: 2026-10-06 12:00 log: line 0")
    assert f"({packet.left_out} more facts were left out)" in packet.text


def test_digits_and_marks_are_a_token_each() -> None:
    """As small models count. Estimated by length, such a line seems half as long as it is."""
    line = "E7: 2026-10-06 12:13 log: took 74.25 s, 17:31:09"
    assert estimated_tokens(line) >= sum(not one.isspace() and not one.isalpha() for one in line)


def test_a_script_without_blanks_between_words_is_a_token_a_character() -> None:
    """The letters of such a script are not parts of one long word: by fives, a prompt would be far too long."""
    assert estimated_tokens("接続がリセットされました") >= 12


def test_the_models_own_tokenizer_counts_where_its_file_is(tmp_path) -> None:
    assert token_counter(tmp_path, "ollama_chat/qwen3:4b") is estimated_tokens
    file = tokenizer_file(tmp_path, "ollama_chat/qwen3:4b")
    file.parent.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel({"why": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(file))
    assert token_counter(tmp_path, "ollama_chat/qwen3:4b")("why why not") == 3


def test_text_source_and_link_hold_no_secret_and_nothing_that_a_terminal_obeys() -> None:
    odd = "pod\x1b]0;owned\x07 \x9b2J \u202ertl token=correct-horse"
    (fact,) = number_facts([Fact(odd, odd, AT, link="https://ci:correct-horse@git.example.com/x")])
    told = fact.source + fact.text + fact.link
    assert "correct-horse" not in told
    assert not set("\x1b\x07\x9b\u202e") & set(told)
