#!/usr/bin/env node
/**
 * The `pacer` command. Each subcommand is a file of its own, loaded when it is the one asked for: a health check that
 * runs every few seconds is not to load the rest. This one only chooses.
 */
import { ConfigError } from '../config/config.ts';
import { helpText } from '../config/help.ts';
import { version } from '../config/version.ts';

async function run(words: readonly string[]): Promise<void> {
  const [command = 'start', ...rest] = words;
  if (words.includes('--help') || ['help', '-h'].includes(command)) process.stdout.write(helpText(version));
  else if (command === '--version') process.stdout.write(`${version}\n`);
  else if (['start', 'demo', '--demo'].includes(command)) await import('../main.ts');
  else if (command === 'migrate') await (await import('./migrate.ts')).runMigrate(rest);
  else if (command === 'health-check') await (await import('./health-check.ts')).runHealthCheck(rest);
  else if (command === 'validate') await (await import('./validate/run-validate.ts')).runValidate(rest);
  else if (command === 'load-test') await (await import('./load-test/run-load-test.ts')).runLoadTest(rest);
  else if (command === 'replay') await (await import('./replay/run-replay.ts')).runReplay(rest);
  else throw new ConfigError(`there is no command ${JSON.stringify(command)}; pacer --help lists them`);
}

run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`pacer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
