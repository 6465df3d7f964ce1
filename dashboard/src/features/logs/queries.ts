import { graphql } from "../../gql";

export const LogsQuery = graphql(`
  query Logs($filter: LogFilter, $first: Int!, $after: String) {
    logs(filter: $filter, first: $first, after: $after) {
      nodes { id name state ...LogRow }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const LogRowUpdates = graphql(`
  subscription LogRowUpdates($logId: ID!) {
    logUpdates(logId: $logId) { id state ...LogRow }
  }
`);

export const SummarizeLog = graphql(`
  mutation SummarizeLog($input: SummarizeLogInput!) {
    summarizeLog(input: $input) {
      __typename
      ... on SummarizeLogSuccess { log { id name } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const LogQuery = graphql(`
  query Log($id: ID!) {
    log(id: $id) {
      id
      version
      state
      recordCount
      ...LogHead
      ...LogSummary
      ...SummarySuggestions
      ...LogHistogram
      ...LogPatterns
      ...LogTags
      ...LogNotes
      ...LogTickets
      ...LogChanges
    }
  }
`);

export const LogUpdates = graphql(`
  subscription LogUpdates($logId: ID!) {
    logUpdates(logId: $logId) { id version recordCount ...LogHead ...LogSummary ...SummarySuggestions ...LogTags ...LogNotes }
  }
`);

/** What people change of a log, read anew when somebody was faster. */
export const LogNow = graphql(`
  query LogNow($id: ID!) {
    log(id: $id) { id version status severity tags notes }
  }
`);

export const RecordsQuery = graphql(`
  query LogRecords($id: ID!, $filter: LogRecordFilter, $first: Int!, $after: String) {
    log(id: $id) {
      id
      records(filter: $filter, first: $first, after: $after) {
        nodes { id ...LogRecordRow }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const MorePatterns = graphql(`
  query MoreLogPatterns($id: ID!, $first: Int!, $after: String) {
    log(id: $id) {
      id
      patterns(first: $first, after: $after) {
        nodes { pattern { id } ...LogPatternRow }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const UpdateLogStatus = graphql(`
  mutation UpdateLogStatus($input: UpdateLogStatusInput!) {
    updateLogStatus(input: $input) {
      __typename
      ... on UpdateLogStatusSuccess { log { id ...LogHead } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const UpdateLog = graphql(`
  mutation UpdateLog($input: UpdateLogInput!) {
    updateLog(input: $input) {
      __typename
      ... on UpdateLogSuccess { log { id ...LogHead ...LogTags ...LogNotes } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const ResummarizeLog = graphql(`
  mutation ResummarizeLog($input: ResummarizeLogInput!) {
    resummarizeLog(input: $input) {
      __typename
      ... on ResummarizeLogSuccess { log { id ...LogHead ...LogSummary } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const CreateTicketFromLog = graphql(`
  mutation CreateTicketFromLog($input: CreateTicketInput!) {
    createTicket(input: $input) {
      __typename
      ... on CreateTicketSuccess { ticket { id title } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const AcceptLogSuggestion = graphql(`
  mutation AcceptLogSuggestion($input: AcceptLogSuggestionInput!) {
    acceptLogSuggestion(input: $input) {
      __typename
      ... on AcceptLogSuggestionSuccess { log { id ...LogHead ...LogSummary ...SummarySuggestions } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const DismissLogSuggestion = graphql(`
  mutation DismissLogSuggestion($input: DismissLogSuggestionInput!) {
    dismissLogSuggestion(input: $input) {
      __typename
      ... on DismissLogSuggestionSuccess { log { id ...LogHead ...SummarySuggestions } }
      ... on UserError { ...ProblemFields }
    }
  }
`);
