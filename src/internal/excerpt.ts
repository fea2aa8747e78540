/** The start of a text, at most `most` UTF-16 code units of it. */
export function excerpt(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
