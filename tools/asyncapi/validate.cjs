// Reads a document with AsyncAPI's own parser, which knows the specification's schemas:
// `node validate.cjs FILE`. Prints what it finds, and fails for errors and warnings.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

const ERROR_OR_WARNING = 1; // diagnostics count from 0, an error, to 3, a hint
const NEWER_VERSION = "asyncapi-latest-version"; // 3.0 is what most tools read

async function main(file) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
  const found = diagnostics.filter((each) => each.code !== NEWER_VERSION);
  for (const each of found) {
    console.error(`${file}: ${each.path.join("/")}: ${each.message} (${each.code})`);
  }
  if (!document || found.some((each) => each.severity <= ERROR_OR_WARNING)) {
    return 1;
  }
  const counts = [
    `${document.channels().all().length} channels`,
    `${document.operations().all().length} operations`,
    `${document.components().messages().all().length} messages`,
  ];
  console.log(`${file} is AsyncAPI ${document.version()}: ${counts.join(", ")}`);
  return 0;
}

main(process.argv[2]).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
