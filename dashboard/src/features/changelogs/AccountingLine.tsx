import { Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Trouble } from "../../ui/Trouble";
import { accountFor, accountLine, many, shortSha } from "./account";

const Accounting = graphql(`
  fragment Accounting on Changelog {
    commitCount
    entries { key commitShas }
    excluded { sha }
  }
`);

/** Where each commit went, counted on this page again. */
export function AccountingLine({ changelog }: { readonly changelog: FragmentType<typeof Accounting> }) {
  const account = accountFor(readFragment(Accounting, changelog));
  if (account.addsUp) {
    return <Text size="sm" data-testid="accounting"><IconCheck size={14} aria-hidden /> {accountLine(account)}. Each one is accounted for.</Text>;
  }
  const lost = account.total - account.told - account.leftOut;
  const why = account.twice.length > 0 ? `${account.twice.map(shortSha).join(", ")} stand there twice` : `${many(Math.abs(lost), "commit")} ${lost > 0 ? "stand nowhere" : "too many"}`;
  return <Trouble problem={{ code: "INTERNAL", message: `${accountLine(account)}: ${why}. Do not publish it; tell those who run this installation.` }} title="These notes do not add up" />;
}
