/**
 * One option of the configuration: how its text is read, what it defaults to, and how it is described.
 * A parser returns the value, or `undefined` when the text is not accepted.
 */

export interface Option<Value> {
  readonly variable: string;
  readonly group: string;
  /** Text the option has when its variable is unset; null = no value. */
  readonly fallback: string | null;
  readonly describe: string;
  /** What a refused value's message says is accepted. */
  readonly accepted: string;
  readonly parse: (text: string) => Value | undefined;
  /** Only of a secret: what is wrong with a refused text. The refusal then says this, and not the text. */
  readonly whyNot?: (text: string) => string;
}

type Described = Pick<Option<unknown>, 'variable' | 'group' | 'describe'>;

function integerText(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

export function integer(option: Described, min: number, max: number, fallback: number): Option<number> {
  return {
    ...option,
    fallback: String(fallback),
    accepted: `a whole number from ${min} to ${max}`,
    parse: (text) => integerText(text, min, max),
  };
}

/** A number between two bounds, both included. */
export function number(option: Described, min: number, max: number, fallback: number): Option<number> {
  return {
    ...option,
    fallback: String(fallback),
    accepted: `a number from ${min} to ${max}`,
    parse: (text) => {
      if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A whole number that may also be `auto`, which the start-up resolves from the machine. */
export function integerOrAuto(option: Described, min: number, max: number): Option<number | 'auto'> {
  return {
    ...option,
    fallback: 'auto',
    accepted: `auto or a whole number from ${min} to ${max}`,
    parse: (text) => (text === 'auto' ? 'auto' : integerText(text, min, max)),
  };
}

export function text(option: Described, accepted: string, pattern: RegExp, fallback: string): Option<string> {
  return { ...option, fallback, accepted, parse: (value) => (pattern.test(value) ? value : undefined) };
}

export function optionalText(option: Described, accepted: string, pattern: RegExp): Option<string | null> {
  return {
    ...option,
    fallback: null,
    accepted,
    parse: (value) => (value === '' ? null : pattern.test(value) ? value : undefined),
  };
}

export function oneOf<const Choice extends string>(
  option: Described,
  choices: readonly Choice[],
  fallback: NoInfer<Choice>,
): Option<Choice> {
  return {
    ...option,
    fallback,
    accepted: `one of ${choices.join(', ')}`,
    parse: (value) => choices.find((choice) => choice === value),
  };
}

export function flag(option: Described): Option<boolean> {
  return {
    ...option,
    fallback: 'false',
    accepted: 'true or false',
    parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
  };
}

/** Web origins, `https://host[:port]`, without a path. */
export function origins(option: Described): Option<readonly string[]> {
  return {
    ...option,
    fallback: '',
    accepted: 'origins such as https://dashboard.example.com, several separated by commas',
    parse: (value) => {
      const given = value === '' ? [] : value.split(',').map((origin) => origin.trim());
      return given.every(isWebOrigin) ? given : undefined;
    },
  };
}

/** The URL of a service that is called over HTTP. It may hold a secret, so that a refusal does not repeat it. */
export function secretUrl(option: Described): Option<string | null> {
  const read = (value: string): string | undefined =>
    /^https?:\/\/\S+$/.test(value) && URL.canParse(value) ? value : undefined;
  return {
    ...option,
    fallback: null,
    accepted: 'a URL that begins with https:// or http://',
    parse: (value) => (value === '' ? null : read(value)),
    whyNot: () => 'it is no such URL',
  };
}

/** Headers as OpenTelemetry writes them: `name=value`, comma separated, values percent-encoded. */
export function secretHeaders(option: Described): Option<Readonly<Record<string, string>>> {
  return {
    ...option,
    fallback: '',
    accepted: 'name=value, several separated by commas; values may be percent-encoded',
    parse: (value) => {
      const pairs = value === '' ? [] : value.split(',').map(headerPair);
      return pairs.includes(null) ? undefined : Object.fromEntries(pairs.filter((pair) => pair !== null));
    },
    whyNot: () => 'it is no such list',
  };
}

function headerPair(text: string): readonly [name: string, value: string] | null {
  const [, name, value] =
    /^\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*([\x21-\x7e][\x20-\x7e]*?)\s*$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return null;
  try {
    const decoded = decodeURIComponent(value);
    return /^[\x20-\x7e]+$/.test(decoded) ? [name.toLowerCase(), decoded] : null;
  } catch {
    return null;
  }
}

/** A key that two programs share. */
export function secretKey(option: Described, least: number, most: number): Option<string | null> {
  const pattern = new RegExp(`^[\\x21-\\x7e]{${least},${most}}$`);
  return {
    ...option,
    fallback: null,
    accepted: `${least} to ${most} visible ASCII characters`,
    parse: (value) => (value === '' ? null : pattern.test(value) ? value : undefined),
    whyNot: () => 'it is too short, too long, or has other characters',
  };
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
