/** Words that speak for something. Positions count Unicode code points, as the service does. */
export interface Mark {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly quote: string;
}

export interface Piece {
  readonly text: string;
  /** The marks that cover it, in their order; marks may overlap. */
  readonly marks: readonly string[];
}

/** A text cut where a mark begins or ends. A mark whose words do not stand there (any more) marks nothing. */
export function cut(text: string, marks: readonly Mark[]): readonly Piece[] {
  const points = Array.from(text);
  const there = marks.filter(({ start, end, quote }) => start < end && end <= points.length && points.slice(start, end).join("") === quote);
  const edges = [...new Set([0, points.length, ...there.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return edges.slice(1).map((end, index) => {
    const start = edges[index] ?? 0;
    return {
      text: points.slice(start, end).join(""),
      marks: there.filter((mark) => mark.start <= start && end <= mark.end).map(({ id }) => id),
    };
  });
}
