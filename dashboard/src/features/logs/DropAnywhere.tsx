import { useEffect, useRef, useState } from "react";
import classes from "./DropAnywhere.module.css";

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

/** Takes files that are dropped anywhere on the page, and shows while they are held above it that it will. */
export function DropAnywhere({ take }: { readonly take: (files: readonly File[]) => void }) {
  const [over, setOver] = useState(false);
  const newest = useRef(take);
  useEffect(() => { newest.current = take; });
  useEffect(() => {
    const hold = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    // Leaving the window has no element that is entered instead.
    const leave = (event: DragEvent): void => { if (event.relatedTarget === null) setOver(false); };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      newest.current([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener("dragover", hold);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", hold);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return over ? <div className={classes.over}>Drop the files to add them as logs</div> : null;
}
