import { graphql } from "../gql";

/** What every error of a result union tells. Spread it on `... on UserError`. */
export const ProblemFields = graphql(`
  fragment ProblemFields on UserError {
    code
    message
    ... on ValidationError { fields { path message } }
    ... on ConflictError { fields { path message } }
    ... on NotFoundError { fields { path message } }
    ... on VersionConflict {
      expected
      actual
      changesSince { version changedAt event reason changedBy { id displayName } changedByActor { kind id } operations { op path value previous } }
    }
    ... on RateLimitedError { retryAfterSeconds }
    ... on IdempotencyInProgress { retryAfterSeconds }
  }
`);
