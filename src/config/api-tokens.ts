/**
 * `API_TOKENS`: who may use the management API. Of a token only its SHA-256 digest is kept from here on, so that
 * no log, error or dump of the configuration can show it.
 */
import { createHash } from 'node:crypto';
import type { Option } from './option.ts';

/** A viewer reads; an operator changes as well. */
export const API_ROLES = ['viewer', 'operator'] as const;
export type ApiRole = (typeof API_ROLES)[number];

export interface ApiToken {
  /** Stands in the audit log for whoever holds the token. */
  readonly name: string;
  readonly role: ApiRole;
  /** SHA-256 of the token, hexadecimal. */
  readonly digest: string;
  /** Short enough to be guessed. */
  readonly isShort: boolean;
}

/** Who changes things while nobody is asked for credentials; no token may have this name. */
export const ANONYMOUS = 'anonymous';

/** A token of fewer characters is accepted, with a warning at start. */
export const TOKEN_LENGTH_SAFE = 16;

const TOKENS_MAX = 100;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const TOKEN = /^[\x21-\x7e]{1,256}$/;

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The tokens, or a text that says what is wrong and repeats nothing of what was given. */
export function readApiTokens(text: string): readonly ApiToken[] | string {
  if (text === '') return [];
  const entries = text.split(',');
  if (entries.length > TOKENS_MAX) return `it has more than ${TOKENS_MAX} entries`;
  const tokens: ApiToken[] = [];
  for (const [at, entry] of entries.entries()) {
    const token = readEntry(entry.trim());
    if (typeof token === 'string') return `entry ${at + 1} ${token}`;
    for (const [earlier, { name, digest }] of tokens.entries()) {
      if (name === token.name) return `entries ${earlier + 1} and ${at + 1} have the same name`;
      if (digest === token.digest) return `entries ${earlier + 1} and ${at + 1} have the same token`;
    }
    tokens.push(token);
  }
  return tokens;
}

function readEntry(entry: string): ApiToken | string {
  const [, name, givenRole, token] = /^([^:]*):([^:]*):(.*)$/s.exec(entry) ?? [];
  if (name === undefined || token === undefined) return 'is not name:role:token';
  if (!NAME.test(name)) return 'has a name that is not 1 to 64 characters of A-Z a-z 0-9 . _ -';
  if (name === ANONYMOUS) return `has the name ${ANONYMOUS}, which stands for those without credentials`;
  const role = API_ROLES.find((known) => known === givenRole);
  if (role === undefined) return `has a role that is not one of ${API_ROLES.join(', ')}`;
  if (!TOKEN.test(token)) return 'has a token that is not 1 to 256 visible ASCII characters without a comma';
  const isShort = token.length < TOKEN_LENGTH_SAFE;
  return { name, role, digest: digestOf(token).toString('hex'), isShort };
}

type Described = Pick<Option<unknown>, 'variable' | 'group' | 'describe'>;

export function apiTokens(option: Described): Option<readonly ApiToken[]> {
  return {
    ...option,
    fallback: '',
    accepted: `name:role:token, several separated by commas; roles ${API_ROLES.join(', ')}`,
    parse: (text) => {
      const read = readApiTokens(text);
      return typeof read === 'string' ? undefined : read;
    },
    whyNot: (text) => {
      const read = readApiTokens(text);
      return typeof read === 'string' ? read : '';
    },
  };
}

/** One token that all callers of a port share. */
export function sharedToken(option: Described): Option<string | null> {
  return {
    ...option,
    fallback: null,
    accepted: '1 to 256 visible ASCII characters',
    parse: (text) => (text === '' ? null : TOKEN.test(text) ? text : undefined),
    whyNot: () => 'it has a character that no header can carry, or too many of them',
  };
}
