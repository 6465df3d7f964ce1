import { describe, expect, test } from "vitest";
import { formatAgo } from "../ui/Moment";
import { problemAt, problemOf, readProblem } from "./problem";

describe("a problem", () => {
  test("keeps code, message, fields and trace of a refusal", () => {
    const fields = [{ path: "input.name", message: "is missing" }];

    expect(readProblem({ code: "INVALID_ARGUMENT", message: "the name is missing", fields }, "t1")).toEqual({
      code: "INVALID_ARGUMENT", message: "the name is missing", fields, traceId: "t1", retryAfterSeconds: undefined, actual: undefined, changesSince: undefined,
    });
  });

  test("without any answer is the network's", () => {
    expect(problemOf({ networkError: new Error("refused"), graphQLErrors: [] }).code).toBe("NETWORK");
  });

  test("is found at the path that failed and at no other", () => {
    const error = { graphQLErrors: [{ message: "tickets is away", path: ["log", "tickets"], extensions: { code: "UNAVAILABLE", traceId: "t2" } }] };

    expect(problemAt(error, "log", "tickets")).toEqual({ code: "UNAVAILABLE", message: "tickets is away", traceId: "t2" });
    expect(problemAt(error, "log", "records")).toBeUndefined();
  });
});

test("moments are told in the largest unit that fits", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");

  expect(["2026-11-23T11:59:40Z", "2026-11-23T11:45:00Z", "2026-11-23T09:00:00Z", "2026-11-20T12:00:00Z"].map((at) => formatAgo(at, now)))
    .toEqual(["just now", "15 minutes ago", "3 hours ago", "3 days ago"]);
});
