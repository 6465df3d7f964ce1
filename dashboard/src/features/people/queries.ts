import { graphql } from "../../gql";

export const UsersQuery = graphql(`
  query Users($first: Int!, $after: String) {
    users(first: $first, after: $after) {
      nodes { id ...PersonFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const TokensQuery = graphql(`
  query ApiTokens($first: Int!, $after: String) {
    apiTokens(first: $first, after: $after) {
      nodes { id ...TokenFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const InviteMutation = graphql(`
  mutation InviteUser($input: InviteUserInput!) {
    inviteUser(input: $input) {
      __typename
      ... on InviteUserSuccess { user { id email } invitationToken invitationExpiresAt }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const SetRoleMutation = graphql(`
  mutation SetUserRole($input: SetUserRoleInput!) {
    setUserRole(input: $input) {
      __typename
      ... on SetUserRoleSuccess { user { id ...PersonFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const DeactivateMutation = graphql(`
  mutation DeactivateUser($input: DeactivateUserInput!) {
    deactivateUser(input: $input) {
      __typename
      ... on DeactivateUserSuccess { user { id ...PersonFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const CreateTokenMutation = graphql(`
  mutation CreateApiToken($input: CreateApiTokenInput!) {
    createApiToken(input: $input) {
      __typename
      ... on CreateApiTokenSuccess { token apiToken { id serviceAccountName scopes expiresAt } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

export const RevokeTokenMutation = graphql(`
  mutation RevokeApiToken($input: RevokeApiTokenInput!) {
    revokeApiToken(input: $input) {
      __typename
      ... on RevokeApiTokenSuccess { apiToken { id ...TokenFields } }
      ... on UserError { ...ProblemFields }
    }
  }
`);
