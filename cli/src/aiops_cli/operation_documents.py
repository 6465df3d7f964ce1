"""The GraphQL documents of the operators' commands."""

_LETTER = """
fragment Letter on DeadLetter {
  id consumer subject eventId aggregateType aggregateId payload errorClass errorMessage attempts traceId createdAt
  redriveRequestedAt redriveRequestedBy redrives redrivenAt
}
"""

LETTERS = (
    """
query DeadLetters($service: ServiceName!, $consumer: String, $all: Boolean!, $first: Int!, $after: String) {
  deadLetters(service: $service, consumer: $consumer, includeRedriven: $all, first: $first, after: $after) {
    nodes { ...Letter } pageInfo { hasNextPage endCursor }
  }
}
"""
    + _LETTER
)
FIND = (
    """
query FindDeadLetter($id: ID!) {
  AUTH: deadLetter(service: AUTH, id: $id) { ...Letter }
  LOGS: deadLetter(service: LOGS, id: $id) { ...Letter }
  TICKETS: deadLetter(service: TICKETS, id: $id) { ...Letter }
  CHANGELOG: deadLetter(service: CHANGELOG, id: $id) { ...Letter }
  AI: deadLetter(service: AI, id: $id) { ...Letter }
}
"""
    + _LETTER
)
REDRIVE = (
    """
mutation Redrive($input: RedriveDeadLettersInput!) {
  redriveDeadLetters(input: $input) {
    __typename
    ... on RedriveDeadLettersSuccess { deadLetters { ...Letter } }
    ... on UserError { code message }
    ... on ValidationError { fields { path } }
  }
}
"""
    + _LETTER
)
AUDIT = """
query ExportAudit($first: Int!, $after: String, $since: DateTime, $until: DateTime, $service: ServiceName) {
  auditEvents(first: $first, after: $after, since: $since, until: $until, service: $service) {
    edges {
      cursor
      node {
        id service occurredAt kind actor { kind id } subjectType subjectIds operation path clientAddress reason traceId
        detail
      }
    }
    pageInfo { hasNextPage }
    unavailable
  }
}
"""
