import { describe, expect, it } from 'vitest';
import { readApiTokens } from '../../../src/config/api-tokens.ts';
import { Credentials, sessionCookie } from '../../../src/management/credentials.ts';
import { SESSION_SECONDS, Sessions } from '../../../src/management/sessions.ts';

function credentialsOf(text: string): Credentials {
  const tokens = readApiTokens(text);
  if (typeof tokens === 'string') throw new Error(tokens);
  return new Credentials(tokens);
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('credentials', () => {
  const credentials = credentialsOf('ada:operator:first:token,bob:viewer:second');

  it('know whose token it is', () => {
    expect(credentials.callerOf(bearer('first:token'), 0)).toEqual({
      name: 'ada',
      role: 'operator',
      by: 'token',
    });
    expect(credentials.callerOf(bearer('second'), 0)).toEqual({ name: 'bob', role: 'viewer', by: 'token' });
    expect(credentials.callerOf({ authorization: 'bEaReR  second' }, 0).name).toBe('bob');
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer nobody',
    'Bearer first',
    'Bearer second x',
    'Basic second',
    'second',
    '',
  ])('refuse the header %j', (authorization) => {
    expect(() => credentials.callerOf({ authorization }, 0)).toThrow(
      expect.objectContaining({ code: 'unauthorized' }),
    );
  });

  it('refuse a wrong header although there is a session', () => {
    const { sessionId } = credentials.login('second', 0);
    const cookie = `a=b; pacer_session=${sessionId}; c=d`;
    expect(credentials.callerOf({ cookie }, 0)).toEqual({ name: 'bob', role: 'viewer', by: 'session' });
    expect(() => credentials.callerOf({ cookie, ...bearer('wrong') }, 0)).toThrow(/Authorization/);
  });

  it('end a session in time, and when it is logged out', () => {
    const { sessionId } = credentials.login('first:token', 0);
    const headers = { cookie: `pacer_session=${sessionId}` };
    expect(credentials.callerOf(headers, SESSION_SECONDS * 1_000 - 1).name).toBe('ada');
    expect(() => credentials.callerOf(headers, SESSION_SECONDS * 1_000)).toThrow(/login/);
    const second = { cookie: `pacer_session=${credentials.login('first:token', 0).sessionId}` };
    credentials.logout(second);
    expect(() => credentials.callerOf(second, 0)).toThrow(/login/);
  });

  it('put no token into the cookie, and let no script and no other site have it', () => {
    const { sessionId } = credentials.login('second', 0);
    expect(sessionId).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(sessionCookie(sessionId, true)).toBe(
      `pacer_session=${sessionId}; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict; Secure`,
    );
    expect(sessionCookie('', false)).toBe('pacer_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict');
  });

  it('ask nobody when there are no tokens', () => {
    const open = credentialsOf('');
    expect(open.callerOf(bearer('anything'), 0)).toEqual({
      name: 'anonymous',
      role: 'operator',
      by: 'nothing',
    });
    expect(() => open.login('anything', 0)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

describe('sessions', () => {
  const holder = { name: 'ada', role: 'viewer' } as const;

  it('are bounded in number for each holder: the oldest one ends, and none of another holder', () => {
    const sessions = new Sessions(2);
    const other = sessions.begin({ name: 'bob', role: 'operator' }, 0);
    const ids = [0, 1, 2, 3].map((at) => sessions.begin(holder, at));
    expect(ids.map((id) => sessions.holderOf(id, 4))).toEqual([null, null, holder, holder]);
    expect(sessions.holderOf(other, 4)?.name).toBe('bob');
  });
});
