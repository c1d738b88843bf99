#!/usr/bin/env node
/** The `pacer` command. Each subcommand is a file of its own; this one only chooses. */
import { ConfigError } from '../config/config.ts';
import { helpText } from '../config/help.ts';
import { version } from '../config/version.ts';
import { runMigrate } from './migrate.ts';
import { runReplay } from './replay/run-replay.ts';

async function run(words: readonly string[]): Promise<void> {
  const [command = 'start'] = words;
  if (words.includes('--help') || command === 'help') process.stdout.write(helpText(version));
  else if (command === '--version') process.stdout.write(`${version}\n`);
  else if (command === 'start') await import('../main.ts');
  else if (command === 'migrate') await runMigrate();
  else if (command === 'replay') await runReplay(words.slice(1));
  else throw new ConfigError(`there is no command ${JSON.stringify(command)}; pacer --help lists them`);
}

run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`pacer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
