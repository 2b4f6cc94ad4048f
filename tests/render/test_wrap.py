import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from grader.render.wrap import NOT_FIRST, NOT_LAST, Run, plain, runs, wrap

TEXT = st.text(alphabet="あいうカタナ漢字、。「」（）ー abc-=/`.\n", max_size=120)
WIDTH = st.integers(min_value=2, max_value=60)


def lines(text: str, width: int) -> list[str]:
    return ["".join(run.text for run in line) for line in wrap(text, width)]


@given(TEXT, WIDTH)
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in lines(text, width))


@given(TEXT, WIDTH)
def test_nothing_but_white_space_is_lost(text: str, width: int) -> None:
    assert "".join("".join(lines(text, width)).split()) == "".join(plain(text).split())


@given(st.text(alphabet="あいう、。「」", max_size=80))
def test_no_line_begins_with_closing_or_ends_with_opening_punctuation(text: str) -> None:
    shown = lines(text, 200)  # wide enough for any unbreakable run, then narrowed
    assert "".join(shown) == text
    units = [line for line in lines("あ" + text, 180) if line]
    assert all(line[0] not in NOT_FIRST for line in units)
    assert all(line[-1] not in NOT_LAST for line in units[:-1])


def test_a_full_stop_stays_with_its_sentence() -> None:
    assert lines("あいうえお。かきく", 10) == ["あいうえ", "お。かきく"]


def test_a_flag_or_an_address_is_never_cut() -> None:
    assert lines("次はkubectl get pods --show-labelsです", 16) == ["次はkubectl get", "pods", "--show-labelsで", "す"]


def test_a_katakana_word_is_never_cut() -> None:
    assert lines("その次のマニフェスト", 16) == ["その次の", "マニフェスト"]


def test_what_is_wider_than_a_line_is_cut_all_the_same() -> None:
    assert lines("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a b`と`c`", (Run("a b", True), Run("と"), Run("c", True))),
        ("片方だけ`のまま", (Run("片方だけ`のまま"),)),
        ("", ()),
    ],
)
def test_backquotes_mark_code(text: str, expected: tuple[Run, ...]) -> None:
    assert tuple(runs(text)) == expected
