import { expect, it } from "vitest";
import { endOf, exampleFor } from "./tokens";

it("counts the days of a token from now", () => {
  expect(endOf("90", new Date("2026-01-01T00:00:00Z"))).toBe("2026-04-01T00:00:00.000Z");
  expect(endOf("", new Date("2026-01-01T00:00:00Z"))).toBeNull();
});

it("shows an example that the scopes allow", () => {
  expect(exampleFor(["changes:write", "logs:write"], "http://example.com").text).toContain('"http://example.com/v1/logs/upload?name=app.log"');
  expect(exampleFor(["changes:write"], "http://example.com").text).toBe("AIOPS_URL=http://example.com aiops commits push --repository shop/checkout --service checkout");
  expect(exampleFor(["tickets:write"], "http://example.com").text).toBe('AIOPS_URL=http://example.com aiops tickets create "The checkout is slow"');
});
