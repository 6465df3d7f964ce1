import { NETWORK, readProblem, type Problem } from "./problem";
import { Store } from "./store";

/** The person at the screen. The role decides what is shown; the services decide what may be seen. */
export interface Person {
  readonly id: string;
  readonly version: number;
  readonly email: string | null;
  readonly displayName: string;
  readonly role: "ADMIN" | "OPS" | "HR" | null;
}

export type Session =
  /** The page has just loaded: the cookie is being traded. */
  | { readonly state: "starting" }
  | { readonly state: "in"; readonly person: Person; readonly token: string; readonly expiresAt: number }
  /** Ended under the page. What is on it stays until the same person signs in again. */
  | { readonly state: "expired"; readonly person: Person }
  | { readonly state: "out" }
  /** The gateway or auth cannot be reached, so nobody knows. */
  | { readonly state: "unknown"; readonly problem: Problem };

type SignedIn = Extract<Session, { state: "in" }>;

export const session = new Store<Session>({ state: "starting" });

const RENEW_BEFORE_END_MS = 60_000;
const CONFLICT_RETRIES = 5;
const LOCK = "aiops-session";
const KEY = "aiops-refresh-key";
const tabs = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("aiops-session");
let timer: ReturnType<typeof setTimeout> | undefined;

interface Answer {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly user: Person;
}

async function call(method: string, path: string, key?: string, body?: unknown): Promise<Response> {
  return fetch(`/v1/session${path}`, {
    method,
    credentials: "same-origin",
    headers: {
      "X-Aiops-Csrf": "1",
      ...(key === undefined ? {} : { "Idempotency-Key": key }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function enter(answer: Answer): SignedIn {
  const before = session.get();
  // The cache holds what another person, or the same one in another role, could see.
  if ("person" in before && (before.person.id !== answer.user.id || before.person.role !== answer.user.role)) location.reload();
  const expiresAt = Date.parse(answer.accessTokenExpiresAt);
  const entered: SignedIn = { state: "in", person: answer.user, token: answer.accessToken, expiresAt };
  session.set(entered);
  clearTimeout(timer);
  timer = setTimeout(() => void renew(), Math.max(expiresAt - Date.now() - RENEW_BEFORE_END_MS, 5_000));
  return entered;
}

function leave(): void {
  clearTimeout(timer);
  const before = session.get();
  session.set("person" in before ? { state: "expired", person: before.person } : { state: "out" });
}

async function refusal(response: Response): Promise<Problem> {
  return readProblem(await response.json().catch(() => undefined));
}

/** One tab at a time: a refresh token is good once, and the cookie is shared. */
async function alone<Result>(task: () => Promise<Result>): Promise<Result> {
  return "locks" in navigator ? navigator.locks.request(LOCK, task) : task();
}

async function trade(): Promise<void> {
  // A reload in the middle of a trade repeats the key and gets the same answer, not a spent token.
  const key = sessionStorage.getItem(KEY) ?? crypto.randomUUID();
  sessionStorage.setItem(KEY, key);
  for (let attempt = 0; attempt < CONFLICT_RETRIES; attempt += 1) {
    const response = await call("POST", "/refresh", attempt === 0 ? key : crypto.randomUUID());
    if (response.ok) {
      sessionStorage.removeItem(KEY);
      enter((await response.json()) as Answer);
      return;
    }
    if (response.status === 401) {
      sessionStorage.removeItem(KEY);
      leave();
      return;
    }
    if (response.status !== 409) throw new RefusedError(await refusal(response));
    sessionStorage.removeItem(KEY);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new RefusedError(NETWORK);
}

class RefusedError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

let renewing: Promise<void> | undefined;

/** Trade the cookie for a new access token; at most one trade at a time. */
export async function renew(): Promise<void> {
  renewing ??= alone(trade)
    .catch((error: unknown) => {
      const problem = error instanceof RefusedError ? error.problem : NETWORK;
      const now = session.get();
      // Somebody who is in stays in: the next operation, or the connection's return, tries again.
      if (now.state === "starting" || now.state === "unknown") session.set({ state: "unknown", problem });
    })
    .finally(() => { renewing = undefined; });
  return renewing;
}

/** A token that is good for some time; waits while the person signs in again, so that what he sent is not lost. */
export async function goodToken(): Promise<string> {
  const now = session.get();
  if (now.state === "in" && now.expiresAt - Date.now() > RENEW_BEFORE_END_MS / 4) return now.token;
  if (now.state === "in") await renew();
  const entered = await session.until((value): value is SignedIn => value.state === "in");
  return entered.token;
}

/** Begin a session. The problem when it was refused. */
export async function signIn(email: string, password: string): Promise<Problem | undefined> {
  try {
    const response = await call("POST", "", crypto.randomUUID(), { email, password });
    if (!response.ok) return await refusal(response);
    enter((await response.json()) as Answer);
    tabs?.postMessage("in");
    return undefined;
  } catch {
    return NETWORK;
  }
}

/** End the session in every tab. The problem when the server could not be told: the session is still on. */
export async function signOut(): Promise<Problem | undefined> {
  try {
    const response = await alone(() => call("DELETE", "", crypto.randomUUID()));
    if (!response.ok) return await refusal(response);
  } catch {
    return NETWORK;
  }
  tabs?.postMessage("out");
  clearTimeout(timer);
  location.assign("/login");
  return undefined;
}

/** Begin: trade the cookie of an earlier visit, and listen to the other tabs. */
export function startSession(): void {
  tabs?.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const now = session.get().state;
    if (data === "out" && now === "in") leave();
    if (data === "in" && now !== "in") void renew();
  });
  document.addEventListener("visibilitychange", () => {
    const now = session.get();
    // A laptop that slept missed its timer.
    if (document.visibilityState === "visible" && now.state === "in" && now.expiresAt - Date.now() < RENEW_BEFORE_END_MS) void renew();
  });
  void renew();
}
