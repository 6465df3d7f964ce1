"""Documents that are known before anybody sends them: those of our own clients, and what an operator adds.

A client may send the SHA-256 of such a document instead of its text. Where only trusted documents are run, nobody's
token is good for a question that no client of ours asks. The hash is that of a canonical form, so that a client that
lays its text out in another way, or asks for type names for its cache, still sends the same document.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from chassis.errors import InvalidArgument
from chassis.settings import SettingsInvalid


@dataclass(frozen=True)
class Asked:
    """The document that a request asks for: its text, its hash, or both."""

    text: str | None
    digest: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """What stands in the parameters of a request.

        Raises:
            InvalidArgument: no document, or one that is named in a way that is none.
        """
        text, id_ = given.get("query"), given.get("documentId")
        persisted = (given.get("extensions") or {}).get("persistedQuery")
        if isinstance(persisted, dict):
            id_ = id_ or persisted.get("sha256Hash")
        if not isinstance(text, str | None) or not isinstance(id_, str | None) or (text is None and id_ is None):
            raise InvalidArgument(
                "send the document as the string `query`, or its SHA-256 as `documentId` or "
                "`extensions.persistedQuery.sha256Hash`",
                field="query",
            )
        return cls(text, id_.removeprefix("sha256:").lower() if id_ is not None else None)


class TrustedDocuments:
    """The texts of trusted documents by their hashes."""

    def __init__(self, texts: Mapping[str, str], *, alone: bool) -> None:
        """`alone`: people and strangers may send no others."""
        self._texts = texts
        self._alone = alone

    @classmethod
    def of(cls, folder: Path | None, *, alone: bool) -> Self:
        """What the gateway is shipped with, and the manifests of a folder.

        Raises:
            SettingsInvalid: a manifest cannot be used.
        """
        texts: dict[str, str] = {}
        for manifest in (files("gateway") / "manifests").iterdir():
            if manifest.name.endswith(".json"):
                texts |= orjson.loads(manifest.read_bytes())
        if folder is None:
            return cls(texts, alone=alone)
        try:
            for path in sorted(folder.glob("*.json")):
                for digest, text in dict(orjson.loads(path.read_bytes())).items():
                    _check(path, digest, text)
                    # By both: clients name what they sent, and what comes as text is found by its canonical form.
                    texts |= {digest: text, digest_of(canonical(parse(text))): text}
        except (OSError, ValueError, TypeError, AttributeError, GraphQLError) as error:
            raise SettingsInvalid(f"GATEWAY_DOCUMENTS_FOLDER holds what is no manifest: {error}") from error
        return cls(texts, alone=alone)

    def text(self, asked: Asked) -> str:
        """The text of the document that is asked for.

        Raises:
            GraphQLError: only its hash was sent, which is not known, or the hash is another document's.
        """
        known = self._texts.get(asked.digest or "")
        if known is not None:
            return known
        if asked.text is None:
            # The words are those that clients wait for before they send the text.
            raise GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})
        if asked.digest is not None and asked.digest != digest_of(asked.text):
            raise GraphQLError(
                "the hash that came with the document is not its SHA-256",
                extensions={"code": "PERSISTED_QUERY_HASH_MISMATCH"},
            )
        return asked.text

    def refuse_others(self, document: DocumentNode, text: str, *, machine: bool) -> None:
        """Turn away a document that nobody vouches for, where only trusted ones are run.

        Machines are let through: their tokens are good for a few RPCs alone, and nobody here builds their clients.

        Raises:
            GraphQLError: it is turned away.
        """
        if not self._alone or machine or digest_of(text) in self._texts:
            return
        if digest_of(canonical(document)) not in self._texts:
            raise GraphQLError(
                "only documents of known clients are run here; use the dashboard or the aiops command of this release, "
                "an API token of a machine, or have the operator add the document (GATEWAY_DOCUMENTS_FOLDER)",
                extensions={"code": "DOCUMENT_NOT_TRUSTED"},
            )


def _check(path: Path, digest: str, text: str) -> None:
    if digest_of(text) != digest:
        raise ValueError(f"{path.name}: {digest} is not the SHA-256 of its document")


def digest_of(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(document: DocumentNode) -> str:
    """The document with the name of each object's type, as caches want it, its fragments in order, in one layout."""
    named: DocumentNode = visit(document, _WithTypeNames())
    fragments = [node for node in named.definitions if isinstance(node, FragmentDefinitionNode)]
    others = [node for node in named.definitions if not isinstance(node, FragmentDefinitionNode)]
    ordered = (*others, *sorted(fragments, key=lambda node: node.name.value))
    return print_ast(DocumentNode(definitions=ordered))


class _WithTypeNames(Visitor):
    def leave_selection_set(
        self, node: SelectionSetNode, _key: object, parent: object, *_: object
    ) -> SelectionSetNode | None:
        """Name the type, once and at the end; an operation's own is known."""
        if isinstance(parent, OperationDefinitionNode):
            return None
        others = tuple(selection for selection in node.selections if not _is_plain_type_name(selection))
        return SelectionSetNode(selections=(*others, _TYPE_NAME))


_TYPE_NAME = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())


def _is_plain_type_name(node: object) -> bool:
    return isinstance(node, FieldNode) and node.name.value == "__typename" and not node.alias and not node.directives
