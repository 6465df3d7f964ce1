"""The SQL of similar tickets: what their words are, how many have each, and which are worth a comparison."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Row,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array, insert

from chassis.db import ReadTx, WriteTx, among
from tickets_service.domain import Ticket
from tickets_service.similarity import Alike, Weights, count_words, most_alike
from tickets_service.store import visible_to
from tickets_service.tables import TICKET_WORD_COUNTS, TICKET_WORDS, TICKET_WORDS_UNCOUNTED, TICKETS
from tickets_service.values import Watcher

TICKETS_PER_QUERY = 1_000
"""How many tickets the chosen words of one ticket may lead to, together: rarer words are more telling and cheaper."""
TICKETS_PER_BATCH = 20_000
"""The same for all tickets that are asked for at once; from 21 on, each has less."""
COMPARED = 50
"""How many of them are compared word by word."""
COUNTED_AT_ONCE = 1_000
"""Tickets that are counted in one transaction: a writer who changes one of them waits for its end."""
_ALL = ""
"""The word whose count is the number of tickets."""


async def add_words(ticket: Ticket, tx: WriteTx) -> None:
    """Keep the words of a new ticket, to be counted soon."""
    words = insert(TICKET_WORDS).values(ticket_id=ticket.id, **_word_values(ticket)).cte("words_of")
    await tx.execute(insert(TICKET_WORDS_UNCOUNTED).values(ticket_id=ticket.id).add_cte(words))


async def change_words(ticket: Ticket, before: Ticket, tx: WriteTx) -> None:
    """Keep what a change made of the words of a ticket, or of who may see them, and have them counted anew soon."""
    if (ticket.title, ticket.description, ticket.hidden) == (before.title, before.description, before.hidden):
        return
    counted = select(TICKET_WORDS.c.ticket_id, TICKET_WORDS.c.words, literal(before.hidden)).where(
        TICKET_WORDS.c.ticket_id == ticket.id
    )
    statement = insert(TICKET_WORDS_UNCOUNTED).from_select(TICKET_WORDS_UNCOUNTED.c.keys(), counted)
    # A ticket that waits already keeps what it was counted as; the update only holds it until this transaction ends.
    waits = {"ticket_id": statement.excluded.ticket_id}
    await tx.execute(statement.on_conflict_do_update(index_elements=["ticket_id"], set_=waits))
    if (ticket.title, ticket.description) != (before.title, before.description):
        await tx.execute(update(TICKET_WORDS).where(TICKET_WORDS.c.ticket_id == ticket.id).values(_word_values(ticket)))


async def count_new_words(tx: WriteTx) -> int:
    """Count the words of tickets that are new or changed, hidden ones apart; how many tickets these were."""
    uncounted = TICKET_WORDS_UNCOUNTED.c.ticket_id
    # Locked first and read by the next statement: it sees what whoever had them locked before has made of them.
    locked = select(uncounted).order_by(uncounted).limit(COUNTED_AT_ONCE).with_for_update(skip_locked=True)
    ids = [row.ticket_id for row in await tx.fetch_all(locked)]
    if ids:
        await tx.execute(_COUNT.bindparams(bindparam("ids", ids, ARRAY(Uuid)), bindparam("every", _ALL)))
        await tx.execute(delete(TICKET_WORDS_UNCOUNTED).where(among(uncounted, ids)))
    return len(ids)


# In the order of words, so that two that count never wait for each other.
_COUNT = sql("""
    INSERT INTO ticket_word_counts AS known (word, ticket_count, hidden_count)
    SELECT word, sum(tickets), sum(hidden)
    FROM (
        SELECT unnest(w.words || CAST(:every AS text)) AS word, 1 AS tickets, t.hidden::integer AS hidden
        FROM ticket_words AS w
        JOIN tickets AS t ON t.id = w.ticket_id
        WHERE w.ticket_id = ANY(:ids)
        UNION ALL
        SELECT unnest(counted_words || CAST(:every AS text)), -1, -counted_hidden::integer
        FROM ticket_words_uncounted
        WHERE ticket_id = ANY(:ids) AND counted_words IS NOT NULL
    ) AS changes
    GROUP BY word
    HAVING sum(tickets) <> 0 OR sum(hidden) <> 0
    ORDER BY word
    ON CONFLICT (word) DO UPDATE SET
        ticket_count = known.ticket_count + excluded.ticket_count,
        hidden_count = known.hidden_count + excluded.hidden_count
""")


async def batch_find_similar(
    ticket_ids: Sequence[UUID], first: int, watcher: Watcher, tx: ReadTx
) -> dict[UUID, list[Alike[UUID]]]:
    """The tickets most like each of these, of those that exist for whoever looks; in five statements."""
    asked = await _words_of(ticket_ids, watcher, tx)
    weights = await _weights({word for counts in asked.values() for word in counts}, watcher, tx)
    budget = min(TICKETS_PER_QUERY, TICKETS_PER_BATCH // max(len(asked), 1))
    telling = {
        ticket_id: {word: weights.of(word) for word in weights.telling(counts, budget=budget)}
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
    if not words:  # of a ticket whose text has none, such as one unbroken string
        return Weights({}, 0)
    columns = TICKET_WORD_COUNTS.c
    hidden = columns.hidden_count if watcher.works_on(hidden=True) else literal(0)
    general = columns.ticket_count - columns.hidden_count if watcher.works_on(hidden=False) else literal(0)
    # Tens of thousands of words for a page of tickets: one text and two lists are read faster than as many rows.
    names = [_ALL, *words]
    asked = func.unnest(func.string_to_array("\n".join(names), "\n")).table_valued(
        "word", with_ordinality="place", name="asked"
    )
    asked = asked.render_derived()
    statement = select(
        _in_order(func.coalesce(hidden + general, 0), asked.c.place).label("seen"),
        _in_order(func.coalesce(columns.ticket_count, 0), asked.c.place).label("leading"),
    ).select_from(asked.outerjoin(TICKET_WORD_COUNTS, columns.word == asked.c.word))
    (row,) = await tx.fetch_all(statement)
    return Weights(dict(zip(names, row.seen, strict=True)), row.seen[0], dict(zip(names, row.leading, strict=True)))


def _in_order(count: ColumnElement[int], place: ColumnElement[int]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(count, place), type_=ARRAY(BigInteger))


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
    asked = func.unnest(literal(list(telling), ARRAY(Uuid))).table_valued("id", name="asked").render_derived()
    score = func.sum(columns.c.weight)
    # OFFSET 0 keeps the order apart from visibility: the best are looked at one by one until enough are visible.
    ranked = (
        select(hits.c.ticket_id)
        .select_from(columns.join(hits, true()))
        .where(columns.c.asked_id == asked.c.id, hits.c.ticket_id != asked.c.id)
        .group_by(hits.c.ticket_id)
        .order_by(score.desc(), hits.c.ticket_id.desc())
        .offset(0)
        .correlate(asked)
        .subquery("ranked")
    )
    # As a value and not as a join: each is looked up by its id, whatever the planner thinks of how many they are.
    visible = select(visible_to(watcher)).where(TICKETS.c.id == ranked.c.ticket_id).scalar_subquery()
    best = select(ranked.c.ticket_id).where(visible).limit(COMPARED).lateral("best")
    statement = select(asked.c.id.label("asked_id"), TICKET_WORDS).select_from(
        asked.join(best, true()).join(TICKET_WORDS, TICKET_WORDS.c.ticket_id == best.c.ticket_id)
    )
    found: dict[UUID, dict[UUID, Mapping[str, int]]] = {}
    for row in await tx.fetch_all(statement):
        found.setdefault(row.asked_id, {})[row.ticket_id] = _counts_of(row)
    return found


def _word_values(ticket: Ticket) -> dict[str, object]:
    counts = count_words(ticket.title, ticket.description)
    return {"words": list(counts), "counts": list(counts.values())}


def _counts_of(row: Row[Any]) -> dict[str, int]:
    return dict(zip(row.words, row.counts, strict=True))
