import { Text } from "@mantine/core";
import classes from "./History.module.css";
import { differences, type Step } from "./words";

/** What a change did, field by field: what was there, and what is there since. */
export function ChangeSteps({ operations }: { readonly operations: readonly Step[] }) {
  const found = differences(operations);
  if (found.length === 0) return <Text size="sm" c="dimmed">Nothing that your role sees.</Text>;
  return (
    <dl className={classes.steps}>
      {found.map(({ field, from, to }, place) => (
        <div key={`${field} ${place}`} className={classes.step}>
          <dt>{field}</dt>
          <dd>
            {from !== undefined && <><span className="visually-hidden">from </span><del>{from}</del></>}
            {from !== undefined && to !== undefined && <span aria-hidden> → </span>}
            {to === undefined ? <span> taken away</span> : <><span className="visually-hidden"> to </span><ins>{to}</ins></>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
