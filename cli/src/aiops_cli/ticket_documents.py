"""The GraphQL documents of `aiops tickets` and `aiops changes`."""

from aiops_cli.change_words import CONFLICT

_ROW = """
fragment TicketRow on Ticket {
  id version title status triageState category priority team service audience peopleSuspected createdAt
  assignee { id displayName email }
}
"""
CHANGES = """
fragment Changes on ChangesBefore {
  before windowStart truncated
  changes {
    at
    change {
      __typename
      ... on Deployment { id service environment deployed: version url }
      ... on Commit { id sha subject authorName commitTags: tags }
    }
  }
}
"""
_TRIAGE = """
fragment Reason on TriageReason { field start end quote explanation }
fragment Choice on TriageChoice { value confidence uncertain reasons { ...Reason } }
fragment Decision on TriageDecision {
  id engine model fallbackReason kept createdAt ticketVersion
  category { ...Choice } priority { ...Choice } team { ...Choice }
  peopleSuspected peopleReasons { ...Reason }
}
"""
_WHOLE = (
    _ROW
    + _TRIAGE
    + """
fragment TicketWhole on Ticket {
  ...TicketRow
  description source externalReference updatedAt triageFailure categorySource prioritySource teamSource commentCount
  reporter { externalName externalEmail user { id displayName email } }
  createdByActor { kind id }
  triage { ...Decision }
}
"""
)
TRIAGED = _WHOLE + "query TriagedTicket($id: ID!) { ticket(id: $id) { ...TicketWhole } }"
TICKET = (
    _WHOLE
    + CHANGES
    + """
query Ticket($id: ID!) {
  ticket(id: $id) {
    ...TicketWhole
    comments(first: 100) {
      edges { node { id body internal createdAt authorActor { kind id } author { displayName email } } }
      pageInfo { hasNextPage }
    }
    logs { id name service severity recordCount createdAt }
    similar(first: 5) { similarity sharedWords ticket { id title status } }
    changesBefore(hours: 24, first: 10) { ...Changes }
  }
}
"""
)
VERSION = "query TicketVersion($id: ID!) { ticket(id: $id) { version } }"
TICKETS = (
    _ROW
    + """
query Tickets($filter: TicketFilter, $first: Int!, $after: String) {
  tickets(filter: $filter, first: $first, after: $after) {
    edges { node { ...TicketRow } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
)
OPTIONS = "query TicketOptions { ticketOptions { kind key name description position audience archived version } }"
ME = "query MyId { me { id } }"
CREATE = (
    _ROW
    + """
mutation CreateTicket($input: CreateTicketInput!) {
  createTicket(input: $input) {
    __typename
    ... on CreateTicketSuccess { ticket { ...TicketRow } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
"""
)
REVEAL = """
mutation RevealTicket($input: RevealTicketInput!) {
  revealTicket(input: $input) {
    __typename
    ... on RevealTicketSuccess {
      revealed {
        id title { ...Text } description { ...Text } comments { id body { ...Text } } hasOlderComments
      }
    }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
fragment Text on RevealedText { text state }
"""


def change(mutation: str) -> str:
    """The document of one of the mutations that change a ticket, all of one form: `assignTicket` for example."""
    title = mutation[0].upper() + mutation[1:]
    return f"""{_ROW}
mutation {title}($input: {title}Input!) {{
  {mutation}(input: $input) {{
    __typename
    ... on {title}Success {{ ticket {{ ...TicketRow }} }}
    ... on UserError {{ code message }}
    ... on ValidationError {{ fields {{ path message }} }}
    {CONFLICT}
  }}
}}
"""
