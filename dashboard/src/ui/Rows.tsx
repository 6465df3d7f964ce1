import { Box } from "@mantine/core";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "react-router";
import classes from "./Rows.module.css";

interface RowsProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly hrefOf: (item: Item) => string;
  readonly children: (item: Item) => ReactNode;
  /** Which row the keyboard is on; see `useRowKeys`. */
  readonly current: number;
  /** A row got the focus by other means, so that keys act on the row that is seen to be chosen. */
  readonly onCurrent?: (row: number) => void;
}

/** A list of links, one a row. The keyboard's row is marked and scrolled to. */
export function Rows<Item>({ label, items, keyOf, hrefOf, children, current, onCurrent }: RowsProps<Item>) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (current >= 0) list.current?.children[current]?.querySelector("a")?.focus();
  }, [current]);
  return (
    <Box component="ul" ref={list} aria-label={label} className={classes.list}>
      {items.map((item, row) => (
        <li key={keyOf(item)} className={classes.item} data-current={row === current || undefined} onFocus={onCurrent && (() => onCurrent(row))}><Link to={hrefOf(item)} className={classes.row}>{children(item)}</Link></li>
      ))}
    </Box>
  );
}

/** `j` and `k` move through rows; give `current` to `Rows`, and the moves to `useShortcuts`. Enter opens: the row is a link. */
export function useRowKeys(count: number): { readonly current: number; readonly next: () => void; readonly previous: () => void; readonly choose: (row: number) => void } {
  const [current, setCurrent] = useState(-1);
  const bounded = Math.min(current, count - 1);
  return {
    current: bounded,
    choose: setCurrent,
    next: () => setCurrent(Math.min(bounded + 1, count - 1)),
    previous: () => setCurrent(Math.max(bounded - 1, 0)),
  };
}
