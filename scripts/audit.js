/**
 * Looks all dependencies up among the known vulnerabilities of the npm registry. Exit code 1 when one is high or
 * critical, 77 when nothing could be looked up: many a mirror has no audit endpoint, and then nothing was checked.
 */
import { spawnSync } from 'node:child_process';

const SKIPPED = 77;
const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
const report = parsed(stdout);
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const why = report?.message ?? 'npm audit gave no report';
  process.stdout.write(
    `nothing was audited: the registry has no audit endpoint, or does not answer (${why})\n`,
  );
  process.exit(SKIPPED);
}
for (const { name, severity, range } of Object.values(report.vulnerabilities)) {
  process.stdout.write(`${severity}: ${name} ${range}\n`);
}
process.stdout.write(`${counts.total} vulnerabilities, ${counts.high + counts.critical} high or critical\n`);
process.exit(counts.high + counts.critical > 0 ? 1 : 0);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
