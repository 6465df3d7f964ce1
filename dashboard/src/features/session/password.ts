/** The rules of the server for a new password, checked while it is typed. */
export const MINIMUM_CHARACTERS = 12;
export const MAXIMUM_BYTES = 72;
export const PASSWORD_RULES = `At least ${MINIMUM_CHARACTERS} characters, at most ${MAXIMUM_BYTES} bytes: a letter with an accent counts two, an emoji four. Several words make a good one.`;

/** What is wrong with a new password; undefined when the server will take it. */
export function passwordFault(password: string): string | undefined {
  const characters = Array.from(password).length;
  if (characters < MINIMUM_CHARACTERS) return `${MINIMUM_CHARACTERS - characters} more ${MINIMUM_CHARACTERS - characters === 1 ? "character is" : "characters are"} needed`;
  const bytes = new TextEncoder().encode(password).length;
  if (bytes > MAXIMUM_BYTES) return `${bytes} bytes are more than ${MAXIMUM_BYTES}: take ${bytes - MAXIMUM_BYTES} away`;
  return undefined;
}
