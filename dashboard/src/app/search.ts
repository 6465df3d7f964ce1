import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/** Filters that live in the address: a link shows another person the same, and Back undoes. Empty values leave it. */
export function useFilters<Name extends string>(names: readonly Name[]): {
  readonly filters: Readonly<Partial<Record<Name, string>>>;
  readonly setFilter: (name: Name, value: string | null | undefined, options?: { readonly replace?: boolean }) => void;
  readonly clear: () => void;
  readonly any: boolean;
} {
  const [params, setParams] = useSearchParams();
  const key = names.join(" ");
  const filters = useMemo(() => {
    const entries = (key.split(" ") as Name[]).map((name) => [name, params.get(name)] as const).filter(([, value]) => value !== null && value !== "");
    return Object.fromEntries(entries) as Partial<Record<Name, string>>;
  }, [params, key]);
  const setFilter = useCallback((name: Name, value: string | null | undefined, options: { readonly replace?: boolean } = {}) => {
    setParams((now) => {
      const next = new URLSearchParams(now);
      if (value === null || value === undefined || value === "") next.delete(name);
      else next.set(name, value);
      return next;
    }, { replace: options.replace ?? false, preventScrollReset: true });
  }, [setParams]);
  const clear = useCallback(() => {
    setParams((now) => {
      const next = new URLSearchParams(now);
      for (const name of key.split(" ")) next.delete(name);
      return next;
    });
  }, [setParams, key]);
  return { filters, setFilter, clear, any: Object.keys(filters).length > 0 };
}
