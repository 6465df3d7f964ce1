import { describe, expect, it } from "vitest";
import { cut } from "./highlight";
import { before, choices, differences, idsIn, nameOf, sureness, webAddress, type Option, type State } from "./words";

describe("marks in a text", () => {
  it("count code points, not UTF-16 units", () => {
    const pieces = cut("😀👩‍🚒 it is down", [{ id: "a", start: 4, end: 9, quote: " it i" }, { id: "b", start: 11, end: 15, quote: "down" }]);

    expect(pieces).toEqual([
      { text: "😀👩‍🚒", marks: [] },
      { text: " it i", marks: ["a"] },
      { text: "s ", marks: [] },
      { text: "down", marks: ["b"] },
    ]);
  });

  it("may overlap, and lie within each other", () => {
    const pieces = cut("abcdef", [{ id: "a", start: 0, end: 4, quote: "abcd" }, { id: "b", start: 2, end: 6, quote: "cdef" }, { id: "c", start: 2, end: 3, quote: "c" }]);

    expect(pieces).toEqual([
      { text: "ab", marks: ["a"] },
      { text: "c", marks: ["a", "b", "c"] },
      { text: "d", marks: ["a", "b"] },
      { text: "ef", marks: ["b"] },
    ]);
  });

  it("mark nothing when other words stand there now, or nothing does", () => {
    expect(cut("new words", [{ id: "a", start: 0, end: 3, quote: "old" }])).toEqual([{ text: "new words", marks: [] }]);
    expect(cut("", [{ id: "a", start: 0, end: 3, quote: "old" }])).toEqual([]);
    expect(cut("x", [{ id: "a", start: 0, end: 9, quote: "x" }, { id: "b", start: 1, end: 1, quote: "" }])).toEqual([{ text: "x", marks: [] }]);
  });
});

const options: readonly Option[] = [
  { kind: "CATEGORY", key: "bug", name: "Bug", archived: false },
  { kind: "CATEGORY", key: "old", name: "Old", archived: true },
  { kind: "TEAM", key: "bug", name: "Bug team", archived: false },
];

describe("options", () => {
  it("have the name of their kind", () => {
    expect(nameOf(options, "category", "bug")).toBe("Bug");
    expect(nameOf(options, "team", "bug")).toBe("Bug team");
    expect(nameOf([], "team", "bug")).toBe("bug");
    expect(nameOf(options, "team", null)).toBe("Undecided");
  });

  it("are offered unless archived, but a ticket keeps what it has", () => {
    expect(choices(options, "category")).toEqual([{ value: "bug", label: "Bug" }]);
    expect(choices(options, "category", "old")).toEqual([{ value: "bug", label: "Bug" }, { value: "old", label: "Old (not offered any more)" }]);
    expect(choices([], "category", "bug")).toEqual([{ value: "bug", label: "bug" }]);
  });
});

describe("words", () => {
  it("say how sure the machine is", () => {
    expect([0.95, 0.8, 0.61, 0.4, 0.07].map(sureness)).toEqual(["sure, 95 %", "sure, 80 %", "fairly sure, 61 %", "not very sure, 40 %", "a guess, 7 %"]);
  });

  it("say how long before", () => {
    const event = "2026-11-23T12:00:00Z";
    expect(before("2026-11-23T11:59:30Z", event)).toBe("less than a minute before");
    expect(before("2026-11-23T11:58:59Z", event)).toBe("1 minute before");
    expect(before("2026-11-23T10:01:00Z", event)).toBe("119 minutes before");
    expect(before("2026-11-23T09:59:00Z", event)).toBe("2 hours before");
    expect(before("2026-11-20T12:00:00Z", event)).toBe("3 days before");
  });

  it("find ids in addresses, each once", () => {
    const id = "01a208ef-be67-743d-9951-d9d6d19e7d22";
    expect(idsIn(`https://ops.example/logs/${id}?line=3 ${id.toUpperCase()} 17`)).toEqual([id]);
    expect(idsIn("17")).toEqual([]);
  });

  it("make links of the web alone", () => {
    expect(webAddress("https://example.com/a b")).toBe("https://example.com/a%20b");
    expect(webAddress("javascript:alert(1)")).toBeUndefined();
    expect(webAddress("JIRA-17")).toBeUndefined();
    expect(webAddress("https://")).toBeUndefined();
  });

  it("tell what somebody else changed", () => {
    const read: State = { version: 3, title: "Down", status: "OPEN", category: null, priority: null, team: null, audience: "GENERAL", commentCount: 1, assignee: null };

    expect(differences(read, { ...read, version: 5, status: "WAITING", category: "bug", commentCount: 3, assignee: { id: "u", displayName: "Ann" } }, options))
      .toBe("status waiting, category bug, assigned to Ann, 2 more comments");
    expect(differences(read, { ...read, version: 4 }, options)).toBe("something that this page does not show; its status is as it was");
  });
});
