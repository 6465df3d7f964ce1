import { graphql } from "../../gql";

/** What a list says of a ticket, and all that a person or the machine can change: each write answers with it. */
export const TicketRowFields = graphql(`
  fragment TicketRowFields on Ticket {
    id version title status category categorySource priority priorityLevel prioritySource team teamSource
    audience peopleSuspected triageState triageFailure service commentCount createdAt
    assignee { id displayName }
  }
`);

export const TicketsQuery = graphql(`
  query Tickets($filter: TicketFilter, $first: Int!, $after: String) {
    tickets(filter: $filter, first: $first, after: $after) {
      nodes { id ...TicketRowFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const OptionsQuery = graphql(`
  query TicketOptions { ticketOptions { kind key name archived } }
`);

export const TicketStateQuery = graphql(`
  query TicketState($id: ID!) { ticket(id: $id) { id ...TicketRowFields } }
`);

/** What of a ticket changes while it is looked at. */
export const TicketNow = graphql(`
  fragment TicketNow on Ticket {
    id
    ...TicketRowFields
    ...TicketText
    ...TicketTriage
    ...TicketComments
    ...TicketLogs @include(if: $systems)
  }
`);

export const TicketPageQuery = graphql(`
  query TicketPage($id: ID!, $systems: Boolean!, $admin: Boolean!) {
    ticket(id: $id) {
      ...TicketNow
      ...TicketOrigin
      ...SimilarTickets
      ...TicketChanges @include(if: $systems)
    }
    ticketOptions { kind key name archived }
    users(first: 100) @include(if: $admin) { nodes { id displayName role status } }
  }
`);

export const TicketLive = graphql(`
  subscription TicketLive($id: ID!, $systems: Boolean!) { ticketUpdates(ticketId: $id) { ...TicketNow } }
`);

export const CreateTicket = graphql(`
  mutation CreateTicket($input: CreateTicketInput!) {
    createTicket(input: $input) {
      __typename
      ... on CreateTicketSuccess { ticket { id } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const UpdateTicket = graphql(`
  mutation UpdateTicket($input: UpdateTicketInput!) {
    updateTicket(input: $input) {
      __typename
      ... on UpdateTicketSuccess { ticket { id ...TicketRowFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const UpdateTicketStatus = graphql(`
  mutation UpdateTicketStatus($input: UpdateTicketStatusInput!) {
    updateTicketStatus(input: $input) {
      __typename
      ... on UpdateTicketStatusSuccess { ticket { id ...TicketRowFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const UpdateTicketAudience = graphql(`
  mutation UpdateTicketAudience($input: UpdateTicketAudienceInput!) {
    updateTicketAudience(input: $input) {
      __typename
      ... on UpdateTicketAudienceSuccess { ticket { id ...TicketRowFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const AssignTicket = graphql(`
  mutation AssignTicket($input: AssignTicketInput!) {
    assignTicket(input: $input) {
      __typename
      ... on AssignTicketSuccess { ticket { id ...TicketRowFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const RetriageTicket = graphql(`
  mutation RetriageTicket($input: RetriageTicketInput!) {
    retriageTicket(input: $input) {
      __typename
      ... on RetriageTicketSuccess { ticket { id ...TicketRowFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const AddTicketComment = graphql(`
  mutation AddTicketComment($input: AddTicketCommentInput!) {
    addTicketComment(input: $input) {
      __typename
      ... on AddTicketCommentSuccess { ticket { id ...TicketRowFields ...TicketComments } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const LinkTicketLogs = graphql(`
  mutation LinkTicketLogs($input: LinkTicketLogsInput!) {
    linkTicketLogs(input: $input) {
      __typename
      ... on LinkTicketLogsSuccess { ticket { id ...TicketRowFields ...TicketLogs } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const UnlinkTicketLogs = graphql(`
  mutation UnlinkTicketLogs($input: UnlinkTicketLogsInput!) {
    unlinkTicketLogs(input: $input) {
      __typename
      ... on UnlinkTicketLogsSuccess { ticket { id ...TicketRowFields ...TicketLogs } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const AcceptTicketSuggestion = graphql(`
  mutation AcceptTicketSuggestion($input: AcceptTicketSuggestionInput!) {
    acceptTicketSuggestion(input: $input) {
      __typename
      ... on AcceptTicketSuggestionSuccess { ticket { id ...TicketRowFields ...TicketTriage } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const DismissTicketSuggestion = graphql(`
  mutation DismissTicketSuggestion($input: DismissTicketSuggestionInput!) {
    dismissTicketSuggestion(input: $input) {
      __typename
      ... on DismissTicketSuggestionSuccess { ticket { id ...TicketRowFields ...TicketTriage } }
      ... on UserError { ...ProblemFields }
    }
  }
`);
