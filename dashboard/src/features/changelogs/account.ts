/** What notes say of their commits, counted here again: a line that adds up is only worth something when it is checked. */
export interface Account {
  readonly total: number;
  readonly told: number;
  readonly entries: number;
  readonly leftOut: number;
  /** Hashes that stand there more than once. */
  readonly twice: readonly string[];
  readonly addsUp: boolean;
}

export interface Notes {
  readonly commitCount: number;
  readonly entries: readonly { readonly commitShas: readonly string[] }[];
  readonly excluded: readonly { readonly sha: string }[];
}

export function accountFor(notes: Notes): Account {
  const told = notes.entries.flatMap(({ commitShas }) => commitShas);
  const all = [...told, ...notes.excluded.map(({ sha }) => sha)];
  const seen = new Set<string>();
  const twice = all.filter((sha) => seen.size === seen.add(sha).size);
  const addsUp = twice.length === 0 && all.length === notes.commitCount;
  return { total: notes.commitCount, told: told.length, entries: notes.entries.length, leftOut: notes.excluded.length, twice, addsUp };
}

export function many(count: number, one: string, more = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
}

/** `98 commits: 61 in 40 entries, 37 left out`. */
export function accountLine({ total, told, entries, leftOut }: Account): string {
  return `${many(total, "commit")}: ${told.toLocaleString("en")} in ${many(entries, "entry", "entries")}, ${leftOut.toLocaleString("en")} left out`;
}

const SHORT = 8;

export function shortSha(sha: string): string {
  return sha.slice(0, SHORT);
}

/** A tag as it is, a hash short. */
export function refName(ref: string): string {
  return /^[0-9a-f]{12,64}$/.test(ref) ? shortSha(ref) : ref;
}

export function rangeName({ fromRef, toRef }: { readonly fromRef?: string | null; readonly toRef?: string | null }): string {
  if (toRef === null || toRef === undefined) return "Given commits";
  return `${fromRef === null || fromRef === undefined ? "the beginning" : refName(fromRef)} → ${refName(toRef)}`;
}

/** What to call it: by its version, else by where its range ends. */
export function changelogName(changelog: { readonly nextVersion?: string | null; readonly toRef?: string | null; readonly repository?: { readonly name: string } | null }): string {
  const what = changelog.nextVersion ?? (typeof changelog.toRef === "string" ? refName(changelog.toRef) : "Changelog");
  return changelog.repository ? `${changelog.repository.name} ${what}` : what;
}
