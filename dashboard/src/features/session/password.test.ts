import { describe, expect, it } from "vitest";
import { passwordFault } from "./password";

describe("a new password", () => {
  it("needs twelve characters, counted as the server counts them", () => {
    expect(passwordFault("elevenchars")).toBe("1 more character is needed");
    expect(passwordFault("twelve chars")).toBeUndefined();
    expect(passwordFault("😀".repeat(11))).toBe("1 more character is needed");
  });

  it("has at most 72 bytes in UTF-8", () => {
    expect(passwordFault("x".repeat(72))).toBeUndefined();
    expect(passwordFault("x".repeat(73))).toBe("73 bytes are more than 72: take 1 away");
    expect(passwordFault("ä".repeat(36))).toBeUndefined();
    expect(passwordFault("ä".repeat(37))).toBe("74 bytes are more than 72: take 2 away");
  });
});
