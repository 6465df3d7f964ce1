"""The GraphQL documents of `aiops logs`."""

from aiops_cli.change_words import CONFLICT

_LOG = """
fragment LogParts on Log {
  id version name service source state status severity
  recordCount lineCount byteCount patternCount firstRecordTime lastRecordTime createdAt tags notes failure
  summary {
    engine model fallbackReason replacedSentenceCount createdAt
    sentences { text engine entryKeys records { id lineNumber time severity body } }
  }
}
"""
LOG = _LOG + "query Log($id: ID!) { log(id: $id) { ...LogParts } }"
LOGS = """
query Logs($first: Int, $after: String, $filter: LogFilter) {
  logs(first: $first, after: $after, filter: $filter) {
    edges { node { id name service state status severity recordCount patternCount createdAt } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
PATTERNS = """
query Patterns($id: ID!, $first: Int) {
  log(id: $id) {
    recordCount patternCount
    patterns(first: $first) {
      edges {
        node {
          count firstTime lastTime bucketSeconds newForService
          severityCounts { severity count }
          buckets { startTime count }
          pattern { id version template }
        }
      }
    }
  }
}
"""
SUMMARIZE = """
mutation Summarize($input: SummarizeLogInput!) {
  summarizeLog(input: $input) {
    __typename
    ... on SummarizeLogSuccess { log { id state } }
    ... on UserError { code message }
  }
}
"""
RESUMMARIZE = (
    """
mutation Resummarize($input: ResummarizeLogInput!) {
  resummarizeLog(input: $input) {
    __typename
    ... on ResummarizeLogSuccess { log { id state } }
    ... on UserError { code message }
"""
    + CONFLICT
    + """
  }
}
"""
)
