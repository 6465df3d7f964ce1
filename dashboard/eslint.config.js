import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// What features share goes down into ui/ or app/; ui/ knows no data. So each feature can be read by itself.
const feature = (name) => ({
  files: [`src/features/${name}/**`],
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ regex: `^\\.\\./(?!\\.\\./)(?!${name}/)`, message: "a feature imports no other feature" }] }],
  },
});

export default defineConfig(
  { ignores: ["dist", "src/gql", "node_modules", "public", "codegen-cache.js"] },
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] }, tsconfigRootDir: import.meta.dirname } } },
  reactHooks.configs.flat["recommended-latest"],
  {
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Reading a list is an effect that begins with saying that it is being read.
      "react-hooks/set-state-in-effect": "off",
      "max-lines": ["error", 400],
    },
  },
  { files: ["src/ui/**"], rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "(features|gql)/", message: "ui/ knows no data" }] }] } },
  ...["logs", "tickets", "changelogs", "people", "session"].map(feature),
);
