// Asks the official data model which objects of a bundle are valid: validity.mjs BUNDLE.json
import * as model from "@mitre-attack/attack-data-model";
import { readFileSync } from "node:fs";

const schemas = {
  "attack-pattern": model.techniqueSchema,
  "x-mitre-analytic": model.analyticSchema,
  "x-mitre-detection-strategy": model.detectionStrategySchema,
  "x-mitre-data-component": model.dataComponentSchema,
  "course-of-action": model.mitigationSchema,
  "relationship": model.relationshipSchema,
};
const bundle = JSON.parse(readFileSync(process.argv[2], "utf8"));
const counts = {};
for (const object of bundle.objects) {
  const schema = schemas[object.type];
  if (!schema) continue;
  // Bundles of STIX 2.0 name the edition once, at the top.
  const result = schema.safeParse({ spec_version: "2.1", ...object });
  const count = (counts[object.type] ??= { valid: 0, refused: 0 });
  count[result.success ? "valid" : "refused"] += 1;
  if (!result.success) {
    const issues = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    console.log(`${object.id}: ${issues.join("; ")}`);
  }
}
console.log(JSON.stringify(counts));
