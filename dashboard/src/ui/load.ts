/** Loading something from the API for a component, again when its key changes or on request. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
  readonly value: T | null;
  readonly error: unknown;
  /** Loads again, and keeps what is shown until then. */
  readonly again: () => void;
}

/** @param everyMs loads again and again, while the page is seen; 0 = never */
export function useLoad<T>(key: string, load: () => Promise<T>, everyMs = 0): Loaded<T> {
  const [state, setState] = useState<{ key: string; value: T | null; error: unknown }>({
    key,
    value: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    let current = true;
    latest.current().then(
      (value) => current && setState({ key, value, error: null }),
      (error: unknown) =>
        current && setState((old) => ({ key, value: old.key === key ? old.value : null, error })),
    );
    return () => {
      current = false;
    };
  }, [key, turn]);
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((count) => count + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  return state.key === key ? { ...state, again } : { value: null, error: null, again };
}
