import { session } from "./session";

const PREFIX = "aiops-write:";

/** Where the key of a write is kept that has no answer yet. Of the input there is a digest: it may be long, and is nobody's to read. */
async function place(name: string, input: string): Promise<string> {
  const now = session.get();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(input)));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${PREFIX}${"person" in now ? now.person.id : ""}:${name}:${hex}`;
}

export interface PendingWrite<Input> {
  readonly key: string;
  /** What to send: as it was sent before, where it was. */
  readonly input: Input;
  /** It is answered: the same input is another write from now on. */
  readonly settle: () => void;
}

/**
 * A write with its idempotency key: the same for the same input until it is answered, also after a reload of the page.
 * The version that was read belongs to the input, since who read another one decided anew. Not so where a write `adds`,
 * such as a comment: said again on a later version, it is still the one whose answer was lost.
 */
export async function pendingWrite<Input extends object>(name: string, input: Input, adds: boolean): Promise<PendingWrite<Input>> {
  const { expectedVersion, ...rest } = input as { readonly expectedVersion?: number };
  const where = await place(name, JSON.stringify(adds ? rest : input));
  const kept = JSON.parse(sessionStorage.getItem(where) ?? "null") as { readonly key: string; readonly version?: number } | null;
  const { key, version } = kept ?? { key: crypto.randomUUID(), version: expectedVersion };
  sessionStorage.setItem(where, JSON.stringify({ key, version }));
  return { key, input: version === undefined ? input : { ...input, expectedVersion: version }, settle: () => sessionStorage.removeItem(where) };
}
