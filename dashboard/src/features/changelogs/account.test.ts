import { describe, expect, it } from "vitest";
import { accountFor, accountLine, changelogName, rangeName } from "./account";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

describe("the accounting of commits", () => {
  it("adds up when each commit stands in one place", () => {
    const account = accountFor({ commitCount: 3, entries: [{ commitShas: [A, B] }], excluded: [{ sha: C }] });

    expect(account).toEqual({ total: 3, told: 2, entries: 1, leftOut: 1, twice: [], addsUp: true });
    expect(accountLine(account)).toBe("3 commits: 2 in 1 entry, 1 left out");
  });

  it("does not add up when one is missing", () => {
    expect(accountFor({ commitCount: 3, entries: [{ commitShas: [A] }], excluded: [{ sha: C }] }).addsUp).toBe(false);
  });

  it("names a commit that stands there twice, also when the count is right", () => {
    const account = accountFor({ commitCount: 3, entries: [{ commitShas: [A, B] }], excluded: [{ sha: B }] });

    expect(account.twice).toEqual([B]);
    expect(account.addsUp).toBe(false);
  });
});

it("names a changelog by its version, else by the end of its range", () => {
  expect(changelogName({ nextVersion: "v2.0.0", toRef: "main", repository: { name: "shop/till" } })).toBe("shop/till v2.0.0");
  expect(changelogName({ nextVersion: null, toRef: A, repository: { name: "shop/till" } })).toBe("shop/till aaaaaaaa");
  expect(changelogName({ nextVersion: null, toRef: null })).toBe("Changelog");
});

it("names a range as git does, with hashes short", () => {
  expect(rangeName({ fromRef: "v1.0.0", toRef: B })).toBe("v1.0.0 → bbbbbbbb");
  expect(rangeName({ fromRef: null, toRef: "v1.0.0" })).toBe("the beginning → v1.0.0");
  expect(rangeName({ fromRef: null, toRef: null })).toBe("Given commits");
});
