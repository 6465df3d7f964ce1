import { graphql } from "../../gql";

/** The list, and the repositories to choose from, in one request. */
export const ChangelogsQuery = graphql(`
  query Changelogs($repository: String, $state: ChangelogState, $first: Int!, $after: String) {
    changelogs(repository: $repository, state: $state, first: $first, after: $after) {
      nodes { id ...ChangelogRow }
      pageInfo { hasNextPage endCursor }
    }
    repositories(first: 100) { nodes { id name commitCount } pageInfo { hasNextPage } }
  }
`);

export const RevisionsQuery = graphql(`
  query Revisions($repository: String!) {
    commits(repository: $repository, first: 100) { nodes { id sha subject tags } }
  }
`);

export const GenerateMutation = graphql(`
  mutation GenerateChangelog($input: GenerateChangelogInput!) {
    generateChangelog(input: $input) {
      __typename
      ... on GenerateChangelogSuccess { changelog { id } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const ChangelogQuery = graphql(`
  query Changelog($id: ID!) {
    changelog(id: $id) {
      id
      version
      state
      toRef
      nextVersion
      repository { id name }
      ...Accounting
      ...ChangelogFacts
      ...EntryList
      ...ExcludedList
      ...HighlightList
      ...HighlightSuggestions
      ...NotesText
      ...PublishFields
      ...BuiltDeployments
      commits(first: 100) { id sha ...CommitLine }
    }
  }
`);

export const PublishMutation = graphql(`
  mutation PublishChangelog($input: PublishChangelogInput!) {
    publishChangelog(input: $input) {
      __typename
      ... on PublishChangelogSuccess { changelog { id ...PublishFields highlightState highlightFailure } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const AcceptSuggestionMutation = graphql(`
  mutation AcceptChangelogSuggestion($input: AcceptChangelogSuggestionInput!) {
    acceptChangelogSuggestion(input: $input) {
      __typename
      ... on AcceptChangelogSuggestionSuccess { changelog { id ...HighlightList ...HighlightSuggestions } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const DismissSuggestionMutation = graphql(`
  mutation DismissChangelogSuggestion($input: DismissChangelogSuggestionInput!) {
    dismissChangelogSuggestion(input: $input) {
      __typename
      ... on DismissChangelogSuggestionSuccess { changelog { id ...HighlightSuggestions } }
      ... on UserError { ...ProblemFields }
    }
  }
`);
