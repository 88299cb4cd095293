"""What is wrong with a file of ours is told in one line with its place, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from opscrew.errors import UsageError
from opscrew.strict_yaml import load_strictly


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    parts: dict[str, dict[str, bool]] = {}
    base: dict[str, object] = {}
    list: tuple[object, ...] = ()


def load(folder: Path, content: bytes) -> Thing:
    path = folder / "thing.yaml"
    path.write_bytes(content)
    return load_strictly(path, Thing)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: a\nname: b\n", "thing.yaml line 2: name stands there twice"),
        (b"parts:\n  a: {mutates: true}\n  b:\n  a: {}\n", "thing.yaml line 4: a stands there twice"),
        (b"list:\n  - {a: 1,\n     a: 2}\n", "thing.yaml line 3: a stands there twice"),
        (b"name: a\nnaem: b\n", "thing.yaml line 2: unknown field naem (did you mean name?)"),
        (b"name: \x00\n", "thing.yaml is not valid YAML: unacceptable character"),
        (b"name: \xff\n", "thing.yaml cannot be read"),
        (b"list: " + b"[" * 3000, "thing.yaml line 2: not valid YAML"),
        (b"name: {}\nbase: 3\n", "thing.yaml line 1: name: Input should be a valid string (and 1 more)"),
        (b"", "thing.yaml line 1: expected fields by name"),
        (b"name: a\n---\nname: b\n", "thing.yaml line 2: not valid YAML"),
        (b"{[1]: 2}\n", "thing.yaml line 1: not valid YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, content)
    assert message in raised.value.message
    assert "\n" not in raised.value.message


def test_the_same_key_in_different_places_is_no_mistake(tmp_path: Path) -> None:
    content = b"base: &base {a: 1}\nlist:\n  - {<<: *base, b: 1}\n  - {<<: *base, b: 2, a: 3}\n"
    assert load(tmp_path, content).list == ({"a": 1, "b": 1}, {"a": 3, "b": 2})


def test_an_alias_that_holds_itself_does_not_hang(tmp_path: Path) -> None:
    assert load(tmp_path, b"list: &a [1, *a]\n").list[0] == 1
