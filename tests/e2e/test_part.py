"""Parts of what is asked of a real cluster."""

from __future__ import annotations

import pytest

from tests.e2e.part import PART, mine


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_all_parts_together_are_everything_and_share_nothing(offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number in (1, 2, 3):
        monkeypatch.setenv(PART, f"{number}/3")
        found += mine(range(10), offset)
    assert sorted(found) == list(range(10))


@pytest.mark.parametrize("text", ["0/3", "4/3", "third", "1"])
def test_a_part_that_is_none_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PART, text)
    with pytest.raises(ValueError):
        mine([1])


def test_without_a_part_everything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PART, raising=False)
    assert mine("abc") == ["a", "b", "c"]
