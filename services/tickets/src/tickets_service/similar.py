"""The SQL of similar tickets: what their words are, how many have each, and which are worth a comparison."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Row, Text, Uuid, any_, delete, func, literal, select, true, union_all, update
from sqlalchemy.dialects.postgresql import ARRAY, array, insert

from chassis.db import ReadTx, WriteTx
from tickets_service.domain import Ticket
from tickets_service.similarity import Alike, Weights, count_words, most_alike
from tickets_service.store import among, visible_to
from tickets_service.tables import TICKET_WORD_COUNTS, TICKET_WORDS, TICKET_WORDS_UNCOUNTED, TICKETS
from tickets_service.values import Watcher

TICKETS_PER_QUERY = 2_000
"""How many tickets the chosen words of one ticket may lead to, together: rarer words are more telling and cheaper."""
COMPARED = 50
"""How many of them are compared word by word."""
_ALL = ""
"""The word whose count is the number of tickets."""


async def add_words(ticket: Ticket, tx: WriteTx) -> None:
    """Keep the words of a new ticket, to be counted soon."""
    await tx.execute(insert(TICKET_WORDS).values(ticket_id=ticket.id, **_word_values(ticket)))
    await tx.execute(insert(TICKET_WORDS_UNCOUNTED).values(ticket_id=ticket.id))


async def replace_words(ticket: Ticket, tx: WriteTx) -> None:
    """Keep the words of a changed ticket in place of those that it had."""
    await tx.execute(update(TICKET_WORDS).where(TICKET_WORDS.c.ticket_id == ticket.id).values(_word_values(ticket)))


async def count_new_words(tx: WriteTx) -> None:
    """Add the tickets that are not counted yet to the number of tickets that have each word, hidden ones apart."""
    fresh = delete(TICKET_WORDS_UNCOUNTED).returning(TICKET_WORDS_UNCOUNTED.c.ticket_id).cte("fresh")
    having = (
        select(TICKET_WORDS.c.words, TICKETS.c.hidden)
        .join(fresh, fresh.c.ticket_id == TICKET_WORDS.c.ticket_id)
        .join(TICKETS, TICKETS.c.id == TICKET_WORDS.c.ticket_id)
        .cte("having_words")
    )
    numbers = (func.count().label("ticket_count"), func.count().filter(having.c.hidden).label("hidden_count"))
    words = func.unnest(having.c.words).table_valued("word", name="words_of").render_derived()
    counted = union_all(
        select(words.c.word, *numbers).select_from(having).join(words, true()).group_by(words.c.word),
        select(literal(_ALL), *numbers).select_from(having),
    ).subquery("counted")
    names = ["ticket_count", "hidden_count"]
    statement = insert(TICKET_WORD_COUNTS).from_select(["word", *names], select(counted))
    totals = {name: TICKET_WORD_COUNTS.c[name] + statement.excluded[name] for name in names}
    await tx.execute(statement.on_conflict_do_update(index_elements=["word"], set_=totals))


async def batch_find_similar(
    ticket_ids: Sequence[UUID], first: int, watcher: Watcher, tx: ReadTx
) -> dict[UUID, list[Alike[UUID]]]:
    """The tickets most like each of these, of those that exist for whoever looks; in five statements."""
    asked = await _words_of(ticket_ids, watcher, tx)
    weights = await _weights({word for counts in asked.values() for word in counts}, watcher, tx)
    telling = {
        ticket_id: {word: weights.of(word) for word in weights.telling(counts, budget=TICKETS_PER_QUERY)}
        for ticket_id, counts in asked.items()
    }
    candidates = await _candidates(telling, watcher, tx)
    found = (counts for compared in candidates.values() for counts in compared.values())
    weights = await _weights({word for counts in (*asked.values(), *found) for word in counts}, watcher, tx)
    return {
        ticket_id: most_alike(counts, candidates.get(ticket_id, {}), weights, first=first)
        for ticket_id, counts in asked.items()
    }


async def _words_of(ticket_ids: Sequence[UUID], watcher: Watcher, tx: ReadTx) -> dict[UUID, Mapping[str, int]]:
    statement = (
        select(TICKET_WORDS)
        .join(TICKETS, TICKETS.c.id == TICKET_WORDS.c.ticket_id)
        .where(among(TICKETS.c.id, ticket_ids), visible_to(watcher))
    )
    return {row.ticket_id: _counts_of(row) for row in await tx.fetch_all(statement)}


async def _weights(words: Collection[str], watcher: Watcher, tx: ReadTx) -> Weights:
    """What words weigh for whoever looks: a number that counted what he may not see would tell him of it."""
    columns = TICKET_WORD_COUNTS.c
    hidden = columns.hidden_count if watcher.works_on(hidden=True) else literal(0)
    general = columns.ticket_count - columns.hidden_count if watcher.works_on(hidden=False) else literal(0)
    statement = select(TICKET_WORD_COUNTS, (hidden + general).label("seen_count")).where(
        columns.word == any_(literal([_ALL, *words], ARRAY(Text)))
    )
    rows = await tx.fetch_all(statement)
    seen = {row.word: row.seen_count for row in rows}
    return Weights(seen, seen.get(_ALL, 0), {row.word: row.ticket_count for row in rows})


async def _candidates(
    telling: Mapping[UUID, Mapping[str, float]], watcher: Watcher, tx: ReadTx
) -> dict[UUID, dict[UUID, Mapping[str, int]]]:
    """For each ticket, the others that share most of its telling words, with all of their words."""
    # Nobody can estimate how many tickets have a word that comes from a list; guessed too high, all would be read.
    await tx.execute(select(func.set_config("enable_seqscan", "off", true()), func.set_config("jit", "off", true())))
    pairs = [(ticket_id, word, weight) for ticket_id, words in telling.items() for word, weight in words.items()]
    columns = (
        func.unnest(
            literal([pair[0] for pair in pairs], ARRAY(Uuid)),
            literal([pair[1] for pair in pairs], ARRAY(Text)),
            literal([pair[2] for pair in pairs], ARRAY(Float)),
        )
        .table_valued("asked_id", "word", "weight", name="asked")
        .render_derived()
    )
    hits = (
        select(TICKET_WORDS.c.ticket_id)
        .where(TICKET_WORDS.c.words.contains(array([columns.c.word])))
        .limit(TICKETS_PER_QUERY)
        .lateral("hits")
    )
    scored = (
        select(columns.c.asked_id, hits.c.ticket_id, func.sum(columns.c.weight).label("score"))
        .join(hits, true())
        .where(hits.c.ticket_id != columns.c.asked_id)
        .group_by(columns.c.asked_id, hits.c.ticket_id)
        .subquery("scored")
    )
    # As a value and not as a join: each is looked up by its id, whatever the planner thinks of how many they are.
    visible = select(visible_to(watcher)).where(TICKETS.c.id == scored.c.ticket_id).scalar_subquery()
    place = func.row_number().over(
        partition_by=scored.c.asked_id, order_by=(scored.c.score.desc(), scored.c.ticket_id.desc())
    )
    ranked = select(scored, place.label("place")).where(visible).subquery("ranked")
    statement = (
        select(ranked.c.asked_id, TICKET_WORDS)
        .join(TICKET_WORDS, TICKET_WORDS.c.ticket_id == ranked.c.ticket_id)
        .where(ranked.c.place <= COMPARED)
    )
    found: dict[UUID, dict[UUID, Mapping[str, int]]] = {}
    for row in await tx.fetch_all(statement):
        found.setdefault(row.asked_id, {})[row.ticket_id] = _counts_of(row)
    return found


def _word_values(ticket: Ticket) -> dict[str, object]:
    counts = count_words(ticket.title, ticket.message)
    return {"words": list(counts), "counts": list(counts.values())}


def _counts_of(row: Row[Any]) -> dict[str, int]:
    return dict(zip(row.words, row.counts, strict=True))
