import { cut } from "./highlight";
import classes from "./Marked.module.css";
import type { Reason } from "./reasons";

/** Which reasons are pointed at just now, in the text or in the list. */
export interface Pointing {
  readonly active: ReadonlySet<string>;
  readonly point: (ids: readonly string[]) => void;
}

const markId = (reason: string): string => `words-${reason}`;
export const reasonId = (reason: string): string => `reason-${reason}`;

/** Brings the words of a reason into view. */
export function goToWords(reason: string): void {
  const mark = document.querySelector<HTMLElement>(`[data-reasons~="${markId(reason)}"]`);
  mark?.scrollIntoView({ block: "center" });
  mark?.focus({ preventScroll: true });
}

/** A text with the words of its reasons marked; each mark knows its reasons, and each reason its words. */
export function Marked({ text, reasons, pointing }: { readonly text: string; readonly reasons: readonly Reason[]; readonly pointing: Pointing }) {
  let position = 0;
  return cut(text, reasons).map((piece) => {
    const key = position;
    position += piece.text.length;
    if (piece.marks.length === 0) return piece.text;
    const point = (): void => pointing.point(piece.marks);
    const leave = (): void => pointing.point([]);
    const open = (): void => document.getElementById(reasonId(piece.marks[0] ?? ""))?.focus();
    return (
      <mark key={key} className={classes.mark} tabIndex={0} data-reasons={piece.marks.map(markId).join(" ")} data-active={piece.marks.some((id) => pointing.active.has(id)) || undefined}
        aria-describedby={piece.marks.map(reasonId).join(" ")} onMouseEnter={point} onMouseLeave={leave} onFocus={point} onBlur={leave}
        onClick={open} onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          // The button that gets the focus would take the same key for a click.
          event.preventDefault();
          open();
        }}>
        {piece.text}
      </mark>
    );
  });
}
