/** The place in the app, in the URL's fragment: `#/campaigns/camp-001?…`. Filters are its query, so a link keeps them. */
import { useEffect, useState } from 'preact/hooks';

export interface Place {
  /** Path steps, decoded. */
  readonly steps: readonly string[];
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { steps: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const moved = () => setPlace(placeOf(location.hash));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

/** A link's href. Empty parameters are left out. */
export function linkTo(steps: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  const text = parameters.toString();
  return `#/${steps.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export const campaignLink = (id: string): string => linkTo(['campaigns', id]);

/** Changes parameters of the present place without a new entry in the history. */
export function refine(changes: Readonly<Record<string, string>>): void {
  const { steps, query } = placeOf(location.hash);
  const next = { ...Object.fromEntries(query), ...changes };
  history.replaceState(null, '', linkTo(steps, next));
  dispatchEvent(new Event('hashchange'));
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
