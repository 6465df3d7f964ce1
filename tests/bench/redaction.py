"""Redaction of log lines, beside a plain list of patterns without checks or context, and a plain copy of the lines."""

import random
import re
import statistics
import time
from collections.abc import Callable, Iterable

from chassis.redaction import Redactor

ROUNDS, LINES = 5, 20_000
PLAIN = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w)",
        r"(?<![\d.-])(?:\d[ -]?){11,18}\d(?![\d.-]\d)",
        r"(?<![\w.-])\+?\d{2,4}(?:[ .-]\d{2,4}){2,3}(?![\w-])",
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}\b",
        r"(?i)(?:password|token|secret|api_?key)\W{1,3}\S+",
        r"\bAKIA[A-Z2-7]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    )
]
FORMS = (
    "2026-01-05T09:12:{n:02d}.{n:03d}Z INFO [worker-{n}] order {n} paid, trace_id=4bf92f3577b34da6a3ce929d0e{n:06d}",
    "Jan  5 09:12:{n:02d} host-7 sshd[{n}]: Failed password for invalid user u{n} from 192.0.2.{n} port 4{n} ssh2",
    '192.0.2.{n} - - [05/Jan/2026:09:12:{n:02d} +0000] "GET /v1/orders/{n}?page=2 HTTP/1.1" 200 {n}12',
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder {n} for block blk_38865049064139{n:05d} ends",
    '{{"time":"2026-01-05T09:12:00Z","level":"warn","msg":"retry {n}","client":"10.0.3.{n}","user_id":{n}}}',
    'level=error ts=2026-01-05T09:12:00Z caller=db.go:{n} msg="connection refused" host=db-{n} password=hunter{n}',
    "java.io.IOException: Connection reset at sun.nio.ch.FileDispatcherImpl.read0(FileDispatcherImpl.java:{n})",
)  # fmt: skip


def lines() -> list[str]:
    """Lines in the forms of seven systems, the same ones every time."""
    rng = random.Random(1)  # noqa: S311 - repeatable, not secret
    return [rng.choice(FORMS).format(n=rng.randint(1, 99)) for _ in range(LINES)]


def per_second(work: Callable[[str], object], texts: Iterable[str]) -> float:
    """Lines a second of one core's time, whoever else uses the machine."""
    texts = list(texts)
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            work(text)
        rates.append(len(texts) / (time.process_time() - began))
    return statistics.median(rates)


def by_patterns(text: str) -> str:
    """What a list of patterns does."""
    for pattern in PLAIN:
        text = pattern.sub("<REDACTED>", text)
    return text


def main() -> None:
    """Print the rates and their ratios."""
    texts = lines()
    own = per_second(Redactor(b"0123456789abcdef").redact, texts)
    plain = per_second(by_patterns, texts)
    copied = per_second(lambda text: text.encode().decode(), texts)
    size = sum(map(len, texts)) / len(texts)
    print(f"redaction: {own:,.0f} lines/s of {size:.0f} characters, {own * size / 1e6:.1f} MB/s per core")
    print(f"  to a plain list of {len(PLAIN)} patterns ({plain:,.0f} lines/s): {own / plain:.2f}")
    print(f"  to a copy of each line ({copied:,.0f} lines/s): {own / copied:.3f}")


if __name__ == "__main__":
    main()
