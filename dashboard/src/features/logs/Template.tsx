import { Fragment } from "react";
import classes from "./Template.module.css";

/** A mined template; the places where values stood look different from the words. */
export function Template({ template }: { readonly template: string }) {
  return (
    <span className={classes.template}>
      {template.split("<*>").map((words, index) => (
        <Fragment key={index}>{index > 0 && <span className={classes.value}>{"<*>"}</span>}{words}</Fragment>
      ))}
    </span>
  );
}
