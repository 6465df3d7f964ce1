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

/** A role that was changed under the page. Told until the person says that he has read it. */
export interface RoleChange {
  readonly personId: string;
  readonly from: Person["role"];
  readonly to: Person["role"];
}

export const roleChange = new Store<RoleChange | undefined>(undefined);

const RENEW_BEFORE_END_MS = 60_000;
const REVIEW_EVERY_MS = 5_000;
const TRY_AGAIN_MS = 3_000;
const ROLE_CHANGE = "aiops-role-change";
const CONFLICT_RETRIES = 5;
const LOCK = "aiops-session";
const KEY = "aiops-refresh-key";
const tabs = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("aiops-session");
let timer: ReturnType<typeof setTimeout> | undefined;
let enteredAt = 0;

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

/** The end of the token by this machine's clock, which may be wrong. */
function endOf(answer: Answer, response: Response): number {
  const serverNow = Date.parse(response.headers.get("date") ?? "");
  return Date.parse(answer.accessTokenExpiresAt) + (Number.isNaN(serverNow) ? 0 : Date.now() - serverNow);
}

async function enter(response: Response): Promise<void> {
  const answer = (await response.json()) as Answer;
  const before = session.get();
  const { user } = answer;
  if ("person" in before) {
    const { id, role } = before.person;
    if (id === user.id && role !== user.role) sessionStorage.setItem(ROLE_CHANGE, JSON.stringify({ personId: id, from: role, to: user.role } satisfies RoleChange));
    // The cache holds what another person, or the same one in another role, could see.
    if (id !== user.id || role !== user.role) location.reload();
  }
  const changed = JSON.parse(sessionStorage.getItem(ROLE_CHANGE) ?? "null") as RoleChange | null;
  roleChange.set(changed?.personId === user.id && changed.to === user.role ? changed : undefined);
  const expiresAt = endOf(answer, response);
  enteredAt = Date.now();
  session.set({ state: "in", person: user, token: answer.accessToken, expiresAt });
  clearTimeout(timer);
  timer = setTimeout(() => void renew(), Math.max(expiresAt - Date.now() - RENEW_BEFORE_END_MS, 5_000));
}

/** The person has read that his role is another one. */
export function forgetRoleChange(): void {
  sessionStorage.removeItem(ROLE_CHANGE);
  roleChange.set(undefined);
}

/** Something was refused for want of a right: the role may be another one than the token says. */
export function reviewRole(): void {
  if (session.get().state === "in" && Date.now() - enteredAt > REVIEW_EVERY_MS) void renew();
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
      await enter(response);
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
      if (now.state !== "starting" && now.state !== "unknown") return;
      session.set({ state: "unknown", problem });
      setTimeout(() => void renew(), TRY_AGAIN_MS);
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
    await enter(response);
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
  goOut("/login");
  return undefined;
}

/** Leave nothing of the person behind: not in memory, not in what this tab kept for him. */
function goOut(target: string): void {
  clearTimeout(timer);
  sessionStorage.clear();
  location.assign(target);
}

/** Begin: trade the cookie of an earlier visit, and listen to the other tabs. */
export function startSession(): void {
  tabs?.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const now = session.get().state;
    // He signed out on purpose: what is on the page is not for whoever sits here next.
    if (data === "out" && (now === "in" || now === "expired")) goOut(`/login?to=${encodeURIComponent(location.pathname + location.search)}`);
    // The cookie is shared, so whoever signed in is who this tab belongs to.
    if (data === "in") void renew();
  });
  document.addEventListener("visibilitychange", () => {
    const now = session.get();
    // A laptop that slept missed its timer.
    if (document.visibilityState === "visible" && now.state === "in" && now.expiresAt - Date.now() < RENEW_BEFORE_END_MS) void renew();
  });
  void renew();
}
