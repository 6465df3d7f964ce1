import { Anchor, Text, Title } from "@mantine/core";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Moment } from "../../ui/Moment";
import { MissingPart } from "../../ui/Trouble";
import { shortSha } from "./account";

const Built = graphql(`
  fragment BuiltDeployments on Changelog {
    id
    deployments(first: 20) { id service environment version url deployedAt sha }
  }
`);

/** A link only when it leads to a page: a deployment's address is what a pipeline sent. */
function webPage(url: string | null | undefined): string | undefined {
  return typeof url === "string" && /^https?:\/\//i.test(url) ? url : undefined;
}

/** Where commits of these notes are live. */
export function BuiltDeployments({ changelog, problem, retry }: {
  readonly changelog: FragmentType<typeof Built>; readonly problem: Problem | undefined; readonly retry: () => void;
}) {
  const { deployments } = readFragment(Built, changelog);
  return (
    <section aria-labelledby="deployments">
      <Title order={2} size="h4" mt="lg" mb={4} id="deployments">Deployments built from it</Title>
      {problem ? <MissingPart what="Deployments" problem={problem} retry={retry} /> : deployments?.length ? (
        <ul>
          {deployments.map((each) => {
            const page = webPage(each.url);
            const name = `${each.service} ${each.version}`;
            return <li key={each.id}>{page ? <Anchor href={page} rel="noreferrer" target="_blank">{name}</Anchor> : name} in {each.environment}, <Moment at={each.deployedAt} />{each.sha ? <Text component="span" size="sm" c="dimmed"> from {shortSha(each.sha)}</Text> : null}</li>;
          })}
        </ul>
      ) : <Text size="sm" c="dimmed">None yet. A pipeline tells of one with <code>aiops deployments record SERVICE VERSION --sha HASH</code>.</Text>}
    </section>
  );
}
