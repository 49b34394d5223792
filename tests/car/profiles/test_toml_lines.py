"""Lines of keys: of every way that TOML has to write them, and of any text at all."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.profiles.toml_lines import key_lines

TEXT = '''a = 1 # first
"b c" = """
[not.a.table]
x = 1"""
d.e = [1, # one
  {f = 2}, [3, 4],
]
g = 'it''s'

[t."u.v"]  # dotted
k = { l = 1, "m" = { n = "}" } }
'o' = 2024-01-01T00:00:00Z

[[list]]
p = 1.5e3
[[list]]
q = [
  "]",
]
r = true
'''


def test_key_lines_finds_every_kind_of_key():
    text = TEXT.replace("'it''s'", "'its'")
    tomllib.loads(text)
    lines = key_lines(text)
    assert lines.again == {}
    assert lines.first == {
        ("a",): 1,
        ("b c",): 2,
        ("d", "e"): 5,
        ("d", "e", "", "f"): 6,
        ("g",): 8,
        ("t", "u.v"): 10,
        ("t", "u.v", "k"): 11,
        ("t", "u.v", "k", "l"): 11,
        ("t", "u.v", "k", "m"): 11,
        ("t", "u.v", "k", "m", "n"): 11,
        ("t", "u.v", "o"): 12,
        ("list",): 14,
        ("list", "p"): 15,
        ("list", "q"): 17,
        ("list", "r"): 20,
    }


def test_key_lines_counts_windows_line_ends_once():
    assert key_lines("a = 1\r\n\r\nb = 2\r\n").first == {("a",): 1, ("b",): 3}


def test_key_lines_tells_what_is_there_again():
    assert key_lines("[a]\nx = 1\n[b]\n[a]\n").again == {("a",): 4}
    assert key_lines("[a]\nx = 1\nx = 2\n").again == {("a", "x"): 3}


def test_key_lines_falls_back_to_the_table_around():
    lines = key_lines('[a]\n[a."b.c"]\nx = 1\n')
    assert lines.of(("a", "b.c", "missing")) == 2
    assert lines.of(("elsewhere",)) is None


@pytest.mark.fuzz
@given(st.text(st.sampled_from("[]{}=,.#\"'\\ \n\r\tab0-"), max_size=60))
def test_key_lines_ends_on_any_text(text):
    key_lines(text)


names = st.text("abc.- ", min_size=1, max_size=4)
leaves = st.integers() | st.booleans() | st.sampled_from(["", "x\ny", "#", "]"])
documents = st.recursive(
    leaves,
    lambda inner: st.lists(leaves, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
).map(lambda value: value if isinstance(value, dict) else {"k": value})


def written(value):
    if isinstance(value, dict):
        pairs = (f"{written(key)} = {written(inner)}" for key, inner in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[\n" + ",\n".join(written(inner) for inner in value) + "\n]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace("\n", "\\n") + '"'


@pytest.mark.fuzz
@given(st.lists(st.tuples(names, documents), max_size=4, unique_by=lambda pair: pair[0]))
def test_key_lines_of_written_tables_are_where_they_were_written(tables):
    text, expected = "", {}
    for name, table in tables:
        expected[name,] = text.count("\n") + 1
        text += f"[{written(name)}]\n"
        for key, value in table.items():
            expected[name, key] = text.count("\n") + 1
            text += f"{written(key)} = {written(value)}\n"
    assert tomllib.loads(text).keys() == {name for name, _ in tables}
    found = key_lines(text).first
    assert {path: found.get(path) for path in expected} == expected
