import { minifyIntrospectionQuery } from "@urql/introspection";
import { introspectionFromSchema } from "graphql";

/** What the cache has to know of the schema: which types stand behind unions and interfaces, and what can be null. */
export const plugin = (schema) =>
  `export default ${JSON.stringify(minifyIntrospectionQuery(introspectionFromSchema(schema)))} as const;\n`;
