const WHY: Readonly<Record<string, string>> = {
  SIGN_IN_NOT_SET_UP: "Sign-in through a provider is not set up here. Use your password.",
  SIGN_IN_EXPIRED: "This sign-in took too long, was used before, or was begun in another browser. Start again.",
  SIGN_IN_REJECTED: "The provider did not confirm who you are. Start again; if that does not help, ask an operator.",
  NO_ROLE_FOR_GROUPS: "None of your groups at the provider gives access here. Ask whoever manages them.",
  EMAIL_UNVERIFIED: "The provider does not vouch for your e-mail address. Have it verified there, and sign in again.",
  EMAIL_TAKEN: "Your e-mail address belongs to another person of the provider. Ask an admin.",
  USER_DEACTIVATED: "This account was deactivated. Ask an admin.",
  LAST_ADMIN: "Your groups would leave nobody who manages this installation. Somebody else has to become admin first.",
  TOO_MANY_ATTEMPTS: "Too many sign-ins were begun from here. Wait a moment, and try again.",
  UNAVAILABLE: "The provider cannot be reached. Try again in a moment, or use your password.",
};

/** What a person reads who comes back from the provider without a session. */
export function reasonOfRefusal(code: string): string {
  return WHY[code] ?? "The sign-in did not succeed. Try again in a moment.";
}
