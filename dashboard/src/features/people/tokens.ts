export const SCOPES = [
  { scope: "logs:write", does: "Send logs; read none" },
  { scope: "changes:write", does: "Push commits and record deployments" },
  { scope: "tickets:write", does: "Create tickets" },
] as const;

export const ENDS = [
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
  { value: "", label: "never" },
];

const DAY_MS = 86_400_000;

/** The moment so many days from now; null for never. */
export function endOf(days: string, now: Date): string | null {
  return days === "" ? null : new Date(now.getTime() + Number(days) * DAY_MS).toISOString();
}

/** What to run, or to put into a file, with a token of these scopes. */
export function exampleFor(scopes: readonly string[], origin: string): { readonly about: string; readonly text: string } {
  if (scopes.includes("logs:write")) {
    return { about: "Send a log file", text: `curl --data-binary @app.log \\\n  -H "Authorization: Bearer $AIOPS_TOKEN" \\\n  "${origin}/v1/logs/upload?name=app.log"` };
  }
  if (scopes.includes("changes:write")) {
    return { about: "Push the history of a git repository", text: `AIOPS_URL=${origin} aiops commits push --repository shop/checkout --service checkout` };
  }
  return { about: "Create a ticket", text: `AIOPS_URL=${origin} aiops tickets create "The checkout is slow"` };
}
