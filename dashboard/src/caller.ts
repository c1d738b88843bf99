/** Who is looking: written into the page by the server. */

export interface PageCaller {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  readonly asks_for_login: boolean;
  readonly demo: boolean;
}

const NOBODY: PageCaller = { name: 'anonymous', role: 'operator', asks_for_login: false, demo: false };

function readCaller(): PageCaller {
  const content = document.querySelector('meta[name="pacer-caller"]')?.getAttribute('content') ?? '';
  return content.startsWith('{') ? (JSON.parse(content) as PageCaller) : NOBODY;
}

export const caller = readCaller();
export const mayChange = caller.role === 'operator';
