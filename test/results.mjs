// What a JSON report of vitest says: a line "PASSED FAILED SKIPPED", then each failure with its message.
// A file that broke before its tests ran counts as one failure.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failures = report.testResults.flatMap((file) => {
  const failed = file.assertionResults.filter((test) => test.status === 'failed');
  const name = relative(process.cwd(), file.name);
  if (file.status === 'failed' && failed.length === 0) return [`${name}\n${file.message}`];
  return failed.map(
    (test) => `${name}: ${test.fullName}\n${test.failureMessages.map(withoutPackages).join('\n')}`,
  );
});

function withoutPackages(message) {
  return message
    .split('\n')
    .filter((line) => !/^\s+at .*node_modules/v.test(line))
    .join('\n');
}

console.log(report.numPassedTests, failures.length, report.numPendingTests + report.numTodoTests);
for (const failure of failures) console.log(`\nFAILED ${failure}`);
