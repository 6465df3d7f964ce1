import { describe, expect, test } from "vitest";
import { differences, eventWords, fieldWords, givenReason, stateWords, valueWords, whoDid } from "./words";

describe("a change in words", () => {
  test("says what happened without naming the thing again", () => {
    expect(["TicketStatusUpdated", "LogReceived", "Genesis", "Erased"].map(eventWords)).toEqual(
      ["Status updated", "Received", "The history begins here, with all that was there", "Personal values erased"]);
  });

  test("tells the reason that a person gave and not the name of the request", () => {
    expect(givenReason("UpdateLogStatus: fixed by the rollback: v3")).toBe("fixed by the rollback: v3");
    expect(givenReason("AssignTicket")).toBeUndefined();
  });

  test("tells who did it, be it a person, a service or a machine", () => {
    expect(whoDid({ changedBy: { displayName: "Ada" }, changedByActor: { kind: "USER", id: "1" } })).toBe("Ada");
    expect(whoDid({ changedBy: null, changedByActor: { kind: "USER", id: "1" } })).toBe("Somebody");
    expect(whoDid({ changedBy: null, changedByActor: { kind: "SERVICE", id: "tickets" } })).toBe("The tickets service");
  });

  test("names fields and their parts, and leaves out what every change moves", () => {
    expect(["/category/key", "/category/source", "/entries/0/text", "/log_ids/1", "/title"].map(fieldWords)).toEqual(["Category", "Category source", "Entries 1 text", "Logs 2", "Title"]);
    expect(differences([
      { op: "replace", path: "/title", value: "new", previous: "old" },
      { op: "add", path: "/team/key", value: "ops" },
      { op: "remove", path: "/assignee_id", previous: "" },
      { op: "replace", path: "/updated_at", value: "2", previous: "1" },
      { op: "replace", path: "/triage/id", value: "2", previous: "1" },
      { op: "replace", path: "/triage/engine", value: "openai", previous: "builtin" },
    ])).toEqual([{ field: "Title", from: "old", to: "new" }, { field: "Team", from: undefined, to: "ops" }, { field: "Assignee", from: "nothing", to: undefined }, { field: "Triage", from: undefined, to: "changed in 2 places" }]);
  });

  test("says of a value that it is erased or sealed, and shortens by whole characters", () => {
    expect([{ erased: true }, { hidden: true }, { $sealed: "x", subject: "y" }, null, true, ["a", "b"], [], { key: "high", source: "person" }, { a: 1 }, "IN_PROGRESS", "I"].map(valueWords))
      .toEqual(["erased for good", "not for you", "sealed", "nothing", "yes", "a, b", "nothing", "high", '{"a":1}', "in progress", "I"]);
    expect(valueWords("🔥".repeat(401))).toBe(`${"🔥".repeat(400)}…`);
    expect(stateWords({ title: "a", reporter_name: { erased: true } })).toEqual([{ field: "Title", value: "a" }, { field: "Reporter name", value: "erased for good" }]);
  });
});
