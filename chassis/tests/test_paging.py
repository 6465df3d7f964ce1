import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.common.v1.page_pb2 import PageInfo, PageRequest
from chassis.errors import CursorInvalid, PageSizeOutOfRange
from chassis.paging import Page, Slice, decode_cursor, encode_cursor, page_from, page_info


@pytest.mark.parametrize("first", [1, 100])
def test_a_page_has_1_to_100_items(first: int) -> None:
    assert page_from(PageRequest(first=first, after="abc")) == Page(first, "abc")


@pytest.mark.parametrize("first", [-1, 0, 101, 10_000])
def test_other_sizes_are_refused_with_the_bounds(first: int) -> None:
    with pytest.raises(PageSizeOutOfRange) as refused:
        page_from(PageRequest(first=first))

    assert refused.value.metadata == {"field": "page.first", "minimum": "1", "maximum": "100"}


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_gives_its_values_back(text: str, number: int) -> None:
    assert decode_cursor(encode_cursor(text, number), str, int) == (text, number)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "A" * 4000,
        encode_cursor("only one"),
        encode_cursor(1, "swapped"),
        encode_cursor("a", 1, 1),
        encode_cursor("a", 1) + "=",
        encode_cursor("a\x00", 1),
        encode_cursor("\ud800", 1),
        encode_cursor("a", 2**63),
        base64.urlsafe_b64encode(b'["a", 1]').decode(),
        base64.urlsafe_b64encode(b'["a",true]').decode().rstrip("="),
        base64.urlsafe_b64encode(b"[" * 600).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    ],
)
def test_what_this_list_did_not_make_is_no_cursor(cursor: str) -> None:
    with pytest.raises(CursorInvalid) as refused:
        decode_cursor(cursor, str, int)

    assert refused.value.metadata == {"field": "page.after"}


@pytest.mark.parametrize("text", ["", "7", "\x00", "0198c0de-0000-7000-8000-00000000000"])
def test_a_cursor_that_should_hold_an_id_holds_one(text: str) -> None:
    known = UUID("0198c0de-0000-7000-8000-000000000001")

    with pytest.raises(CursorInvalid):
        decode_cursor(encode_cursor(text), UUID)

    assert decode_cursor(encode_cursor(str(known)), UUID) == (known,)


def test_page_info_names_the_last_item_and_whether_more_follows() -> None:
    assert page_info(Slice((1, 2), ("a", "b"), has_next_page=True)) == PageInfo(has_next_page=True, end_cursor="b")
    assert page_info(Slice((), (), has_next_page=False)) == PageInfo(has_next_page=False, end_cursor="")
