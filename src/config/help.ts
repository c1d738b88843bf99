/** `--help` and the configuration reference, rendered from the schema. */
import type { Option } from './option.ts';
import { schema } from './schema.ts';

const COMMANDS: readonly (readonly [string, string])[] = [
  ['pacer start', 'run a pod (the default)'],
  ['pacer demo', 'run a pod on loopback with sample campaigns and simulated bids; also pacer start --demo'],
  ['pacer migrate [--json]', 'bring the database of DATABASE_URL up to date and exit'],
  [
    'pacer health-check [--json] [--timeout MS]',
    'each service, its state and how fast it answers; exit 1 when unhealthy',
  ],
  [
    'pacer validate [--json]',
    'check a running pacer with campaigns of its own: eight checks, a line each; exit 1 when one fails',
  ],
  [
    'pacer load-test --qps N --duration S [--pattern P] [--setup --campaigns N]',
    'open-loop load on a running pacer; P is normal, surge or circuit_breaker_test. --setup makes campaigns for it and deletes them (--keep: does not); also --connections N, --json',
  ],
  [
    'pacer replay [--input FILE|-] [--seed N]',
    'decide bids from NDJSON lines under virtual time, with the production controllers',
  ],
  [
    '  --url URL --api-url URL',
    'where health-check, validate and load-test find the pacer; the configuration says it otherwise',
  ],
  ['pacer --help, -h', 'this text'],
  ['pacer --version', 'the version'],
];

const MEANING_COLUMN = 44;

/** A command and what it does; a command that is too long for its column has a line of its own. */
function commandLines([command, meaning]: readonly [string, string]): string {
  const start = `  ${command}`;
  const isLong = start.length > MEANING_COLUMN - 2;
  return `${isLong ? `${start}\n${' '.repeat(MEANING_COLUMN)}` : start.padEnd(MEANING_COLUMN)}${meaning}\n`;
}

function optionLines(option: Option<unknown>): string {
  const fallback = option.fallback || '(none)';
  return `  ${option.variable.padEnd(24)}${option.describe}\n${' '.repeat(26)}takes ${option.accepted}; default ${fallback}\n`;
}

export function helpText(version: string): string {
  const options: readonly Option<unknown>[] = Object.values(schema);
  const groups = [...new Set(options.map((option) => option.group))];
  const commands = COMMANDS.map(commandLines).join('');
  const variables = groups
    .map(
      (group) =>
        `\n${group}\n${options
          .filter((option) => option.group === group)
          .map(optionLines)
          .join('')}`,
    )
    .join('');
  return `pacer ${version}: ad campaign budget pacer\n\nCommands\n${commands}\nConfiguration: environment variables; a .env file in the working folder is read too.\n${variables}`;
}

/** The options as a Markdown table, for the README (a test keeps it true). */
export function configurationTable(): string {
  const options: readonly Option<unknown>[] = Object.values(schema);
  const rows = options.map(
    (option) =>
      `| \`${option.variable}\` | ${option.fallback ? `\`${option.fallback}\`` : ''} | ${option.describe} |`,
  );
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}
