/** One step of a change, as the graph tells it: values are JSON. */
export interface Step {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly previous?: unknown;
}

/** One version of a thing: who made it, when, and what it changed. */
export interface RecordedChange {
  readonly version: number;
  readonly changedAt: string;
  readonly event: string;
  readonly reason: string;
  readonly changedBy?: { readonly displayName: string } | null;
  readonly changedByActor: { readonly kind: string; readonly id: string };
  readonly operations: readonly Step[];
}

/** One difference in words. */
export interface Difference {
  readonly field: string;
  /** Undefined where nothing was there before. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const EVENTS: Readonly<Record<string, string>> = {
  Genesis: "The history begins here, with all that was there",
  Resumed: "Changed while changes were not recorded",
  Erased: "Personal values erased",
};
const FIELDS: Readonly<Record<string, string>> = {
  assignee_id: "Assignee", log_ids: "Logs", reporter_user_id: "Reporter", people_suspected: "People matter suspected", audience_decided: "Audience decided by a person",
  public_comment_count: "Comments", internal_comment_count: "Internal comments", created_by: "Created by", highlight_state: "State of the highlights",
};
/** What stands in the head of a change already: when it was made, and by whom. */
const NOISE = /_at$|_by$|^version$/;
/** What a machine made, of many parts: how many of them changed says more than each of them. */
const OF_MANY_PARTS = new Set(["triage", "suggestion", "summary", "summary_suggestions", "highlights", "highlight_suggestions", "entries", "excluded"]);
const LONGEST = 400;

/** `TicketStatusUpdated` of a ticket is `Status updated`. */
export function eventWords(event: string): string {
  const known = EVENTS[event];
  if (known !== undefined) return known;
  const words = event.replace(/^(Ticket|Log|Changelog|User)(?=[A-Z])/, "").replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a person gave as reason, behind the name of the request. */
export function givenReason(reason: string): string | undefined {
  const found = /^[^:]*: (.+)$/s.exec(reason);
  return found?.[1];
}

export function whoDid({ changedBy, changedByActor }: Pick<RecordedChange, "changedBy" | "changedByActor">): string {
  if (changedBy) return changedBy.displayName;
  if (changedByActor.kind === "USER") return "Somebody";
  return changedByActor.kind === "SERVICE" ? `The ${changedByActor.id} service` : `The machine ${changedByActor.id.slice(0, 8)}`;
}

/** A document's field, or a part of one, as people call it: `/category/key` is the category. */
export function fieldWords(path: string): string {
  const parts = path.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const [field = "", ...inner] = parts;
  const plain = field.replaceAll("_", " ");
  const name = FIELDS[field] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  const rest = inner.filter((part) => part !== "key").map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : part.replaceAll("_", " ")));
  return [name, ...rest].join(" ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in words; what is not there any more says so. */
export function valueWords(value: unknown): string {
  if (value === null || value === undefined || value === "" || value === "UNSPECIFIED") return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && /^[A-Z][A-Z_]+$/.test(value)) return value.toLowerCase().replaceAll("_", " ");
  if (typeof value === "string" || typeof value === "number") return shortened(String(value));
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.some((each) => typeof each === "object") ? `${value.length} of them` : shortened(value.join(", "));
  if (!isRecord(value)) return "";
  if (value.erased === true) return "erased for good";
  if (value.hidden === true) return "not for you";
  if ("$sealed" in value) return "sealed";
  if ("key" in value) return valueWords(value.key);
  if (typeof value.engine === "string") return `made by the ${value.engine} engine`;
  if (typeof value.kind === "string" && typeof value.id === "string") return `${value.kind.replaceAll("_", " ")} ${value.id}`;
  return shortened(JSON.stringify(value));
}

function shortened(text: string): string {
  const points = Array.from(text);
  return points.length > LONGEST ? `${points.slice(0, LONGEST).join("")}…` : text;
}

/** What a change did, field by field, without what moves with every change. */
export function differences(operations: readonly Step[]): Difference[] {
  const found = new Map<string, Difference & { readonly count: number }>();
  for (const { op, path, value, previous } of operations) {
    const [, field = "", ...inner] = path.split("/");
    if (NOISE.test(field) || (op === "add" && valueWords(value) === "nothing")) continue;
    const whole = OF_MANY_PARTS.has(field) && inner.length > 0;
    const place = whole ? `/${field}` : path;
    const count = (found.get(place)?.count ?? 0) + 1;
    found.set(place, whole
      ? { field: fieldWords(place), from: undefined, to: count === 1 ? "changed in one place" : `changed in ${count} places`, count }
      : { field: fieldWords(path), from: op === "add" ? undefined : valueWords(previous), to: op === "remove" ? undefined : valueWords(value), count });
  }
  return [...found.values()].map(({ field, from, to }) => ({ field, from, to }));
}

/** All fields of a document in words, in their order. */
export function stateWords(document: unknown): { readonly field: string; readonly value: string }[] {
  if (!isRecord(document)) return [];
  return Object.entries(document).map(([name, value]) => ({ field: fieldWords(`/${name}`), value: valueWords(value) }));
}
