/** Addresses of pages; the one place that knows their shape. */
export const urls = {
  logs: "/logs",
  log: (id: string) => `/logs/${id}`,
  tickets: "/tickets",
  ticket: (id: string) => `/tickets/${id}`,
  changelogs: "/changelogs",
  changelog: (id: string) => `/changelogs/${id}`,
  people: "/people",
  account: "/account",
  login: "/login",
} as const;
