"""The GraphQL documents of `aiops commits`, `changelogs`, `deployments` and `changes`."""

from aiops_cli.change_words import CONFLICT
from aiops_cli.ticket_documents import CHANGES

PUSH = """
mutation PushCommits($input: PushCommitsInput!) {
  pushCommits(input: $input) {
    __typename
    ... on PushCommitsSuccess { newCommitCount repository { id name commitCount } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
"""
_CHANGELOG = """
fragment ChangelogWhole on Changelog {
  id version state fromRef toRef bump bumpSha previousVersion nextVersion commitCount createdAt publishedAt
  repository { name }
  entries { key section text scope breaking breakingNote commitShas references }
  excluded { sha subject reason detail }
  highlightState highlightFailure
  highlights { engine model fallbackReason replacedCount highlights { text entryKeys engine references } }
}
"""
GENERATE = (
    _CHANGELOG
    + """
mutation GenerateChangelog($input: GenerateChangelogInput!) {
  generateChangelog(input: $input) {
    __typename
    ... on GenerateChangelogSuccess { changelog { ...ChangelogWhole } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
"""
)
CHANGELOG = (
    _CHANGELOG
    + """
query Changelog($id: ID!) {
  changelog(id: $id) {
    ...ChangelogWhole
    deployments(first: 20) { id service environment version deployedAt }
  }
}
"""
)
NOTES = "query ChangelogNotes($id: ID!) { changelog(id: $id) { markdown json } }"
CHANGELOGS = """
query Changelogs($repository: String, $state: ChangelogState, $first: Int!, $after: String) {
  changelogs(repository: $repository, state: $state, first: $first, after: $after) {
    edges { node { id state fromRef toRef bump previousVersion nextVersion commitCount createdAt repository { name } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
REPOSITORY = "query Repository($name: String!) { repositories(name: $name, first: 1) { edges { node { id } } } }"
VERSION = "query ChangelogVersion($id: ID!) { changelog(id: $id) { version } }"
PUBLISH = (
    _CHANGELOG
    + """
mutation PublishChangelog($input: PublishChangelogInput!) {
  publishChangelog(input: $input) {
    __typename
    ... on PublishChangelogSuccess { changelog { ...ChangelogWhole } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
"""
    + CONFLICT
    + """
  }
}
"""
)
_DEPLOYMENT = """
fragment DeploymentRow on Deployment {
  id service environment version url deployedAt externalReference sha
  repository { name }
}
"""
RECORD = (
    _DEPLOYMENT
    + """
mutation RecordDeployment($input: RecordDeploymentInput!) {
  recordDeployment(input: $input) {
    __typename
    ... on RecordDeploymentSuccess { deployment { ...DeploymentRow } }
    ... on UserError { code message }
    ... on ValidationError { fields { path message } }
  }
}
"""
)
DEPLOYMENTS = (
    _DEPLOYMENT
    + """
query Deployments($service: String, $environment: String, $first: Int!, $after: String) {
  deployments(service: $service, environment: $environment, first: $first, after: $after) {
    edges { node { ...DeploymentRow } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
)
BEFORE = (
    CHANGES
    + """
query ChangesBefore($id: ID!, $hours: Int!, $first: Int!) {
  log(id: $id) { id name service changesBefore(hours: $hours, first: $first) { ...Changes } }
  ticket(id: $id) { id title service changesBefore(hours: $hours, first: $first) { ...Changes } }
}
"""
)
