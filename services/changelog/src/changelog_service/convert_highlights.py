"""Between the entries of a changelog and what travels to ai and back: pure and total."""

from collections.abc import Iterable, Sequence

from aiops.ai.v1 import ai_service_pb2 as ai_pb
from aiops.ai.v1.highlight_pb2 import HighlightEntry, HighlightSentence
from aiops.ai.v1.run_pb2 import Engine, Run
from changelog_service.commits import Entry
from changelog_service.domain import Changelog, Highlight, Highlights
from changelog_service.highlights import CheckedHighlights, Sentence

_BUILTIN = "builtin"
_ENGINES = {Engine.ENGINE_BUILTIN: _BUILTIN, Engine.ENGINE_OPENAI: "openai"}
NOTHING = Highlights((), _BUILTIN, model="", run_id="", fallback_reason="", replaced_count=0)
"""Of a changelog whose entries are worth no sentence."""


def request_of(changelog: Changelog, offered: Sequence[Entry], *, key: str) -> ai_pb.WordHighlightsRequest:
    """The entries as ai reads them."""
    return ai_pb.WordHighlightsRequest(
        idempotency_key=key,
        subject=changelog.repository_name,
        entries=[
            HighlightEntry(
                key=entry.key,
                section=entry.section.capitalize(),
                text=entry.text,
                scope=entry.scope,
                breaking=entry.breaking,
                references=entry.references,
            )
            for entry in offered
        ],
    )


def sentences_from(sentences: Iterable[HighlightSentence]) -> list[Sentence]:
    """Sentences of ai, which still have to be checked."""
    return [Sentence(each.text, tuple(each.entry_keys)) for each in sentences]


def highlights_from(checked: CheckedHighlights, run: Run) -> Highlights:
    """The highlights of checked sentences, with who wrote each."""
    engine = _ENGINES.get(run.engine, _BUILTIN)
    return Highlights(
        highlights=tuple(
            Highlight(each.text, each.entry_keys, _BUILTIN if each.builtin else engine) for each in checked.sentences
        ),
        engine=engine,
        model=run.model,
        run_id=run.id,
        fallback_reason=run.fallback_reason,
        # The count is of a model's sentences; the built-in engine has nothing to be replaced by.
        replaced_count=0 if engine == _BUILTIN else checked.replaced_count,
    )
