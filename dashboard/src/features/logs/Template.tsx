import { Fragment } from "react";
import classes from "./Template.module.css";

/** One line of the log can be as long as a page; the records show all of it. */
const SHOWN_CHARACTERS = 300;

/** A mined template as far as it is worth reading. */
export function shortened(template: string): string {
  return template.length > SHOWN_CHARACTERS ? `${template.slice(0, SHOWN_CHARACTERS)}…` : template;
}

/** A mined template; the places where values stood look different from the words. */
export function Template({ template }: { readonly template: string }) {
  return (
    <span className={classes.template}>
      {shortened(template).split("<*>").map((words, index) => (
        <Fragment key={index}>{index > 0 && <span className={classes.value}>{"<*>"}</span>}{words}</Fragment>
      ))}
    </span>
  );
}
