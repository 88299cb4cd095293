"""Short descriptions that still say enough to call the tool rightly."""

from __future__ import annotations

from tools.mcp.servers import ToolEntry
from tools.mcp.trimming import first_sentence, trim

SCHEMA = {
    "type": "object",
    "title": "QueryArguments",
    "properties": {
        "query": {"type": "string", "title": "Query", "description": "MetricsQL expression. See the manual for all."},
        "step": {"type": "string", "default": "1m", "examples": ["1m", "5m"]},
        "kind": {"type": "string", "enum": ["instant", "range"]},
        "labels": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "title": "A"}}}},
        "trace": {"type": "boolean", "description": "Only for developers."},
    },
    "required": ["query"],
    "additionalProperties": False,
}
WORDS = "Runs an instant query against the database. Then follow many paragraphs. " * 5


def test_only_named_and_required_parameters_stay() -> None:
    tool = trim("vm", "query", WORDS, SCHEMA, ToolEntry(parameters=("step",)))
    assert list(tool.parameters["properties"]) == ["query", "step"]
    assert tool.parameters["required"] == ["query"]
    assert tool.description == "Runs an instant query against the database."
    assert tool.tokens < tool.full_tokens / 2


def test_choices_and_shapes_stay_and_decoration_goes() -> None:
    properties = trim("vm", "query", WORDS, SCHEMA, ToolEntry()).parameters["properties"]
    assert properties["kind"]["enum"] == ["instant", "range"]
    assert properties["labels"]["items"]["properties"] == {"a": {"type": "string"}}
    assert properties["query"] == {"type": "string", "description": "MetricsQL expression."}
    assert properties["step"] == {"type": "string"}


def test_the_lists_own_words_win() -> None:
    assert trim("vm", "query", WORDS, SCHEMA, ToolEntry(description="Asks.")).description == "Asks."


def test_a_sentence_without_an_end_is_cut_at_a_word() -> None:
    cut = first_sentence("word " * 100, 40)
    assert len(cut) <= 41
    assert cut.endswith("word…")


def test_a_schema_of_nothing_is_an_object_of_nothing() -> None:
    assert trim("vm", "flags", "", {}, ToolEntry()).parameters == {"type": "object", "properties": {}}


def test_what_a_schema_refers_to_stays_only_within_it() -> None:
    schema = {"properties": {"a": {"$ref": "http://192.0.2.1/x"}, "b": {"$ref": "#/$defs/B"}}, "$defs": {"B": {}}}
    properties = trim("vm", "query", WORDS, schema, ToolEntry()).parameters["properties"]
    assert properties == {"a": {}, "b": {"$ref": "#/$defs/B"}}
