"""Request bodies, read no further than allowed."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

from starlette.requests import Request

from chassis.errors import InvalidInput


class BodyTooLarge(InvalidInput):
    """The body is larger than this door takes."""

    reason = "LOG_TOO_LARGE"

    def __init__(self, maximum_bytes: int) -> None:
        super().__init__(
            f"the body may have at most {maximum_bytes:,} bytes, decompressed; split it",
            maximum_bytes=str(maximum_bytes),
        )


class BodyDamaged(InvalidInput):
    """The compressed body cannot be unfolded."""

    reason = "LOG_ENCODING_INVALID"

    def __init__(self) -> None:
        super().__init__("the body is not valid gzip, or it was cut short; compress the file anew and send it again")


def refuse_announced(request: Request, maximum_bytes: int) -> None:
    """Turn a body away by the size that it announces, before it is read.

    Raises:
        BodyTooLarge: it announces too much.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > maximum_bytes:
        raise BodyTooLarge(maximum_bytes)


async def bounded(chunks: AsyncIterable[bytes], maximum_bytes: int) -> AsyncIterator[bytes]:
    """The chunks, until they are too many.

    Raises:
        BodyTooLarge: they are.
    """
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > maximum_bytes:
            raise BodyTooLarge(maximum_bytes)
        if chunk:
            yield chunk


async def gunzip(chunks: AsyncIterable[bytes], piece_bytes: int) -> AsyncGenerator[bytes, None]:
    """The decompressed pieces, each of at most `piece_bytes`, however far the input unfolds.

    Raises:
        BodyDamaged: the input is no gzip, or ends before its end.
    """
    unfold, whole = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    async for chunk in chunks:
        rest = chunk
        while rest:
            if whole:  # gzip allows several members, one after the other
                unfold, whole = zlib.decompressobj(zlib.MAX_WBITS | 16), False
            try:
                piece = unfold.decompress(rest, piece_bytes)
            except zlib.error as error:
                raise BodyDamaged from error
            whole = unfold.eof
            rest = unfold.unused_data if whole else unfold.unconsumed_tail
            if piece:
                yield piece
    if not whole:
        raise BodyDamaged
