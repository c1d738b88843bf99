/** Short notes of what was done, read out to screen readers, gone after a while. */
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const SHOWN_MS = 6_000;
const TOASTS_MAX = 4;

let toasts: readonly Toast[] = [];
let nextId = 1;
let tell: (toasts: readonly Toast[]) => void = () => {};

export function toast(text: string, isError = false): void {
  const added: Toast = { id: nextId++, text, isError };
  toasts = [...toasts, added].slice(-TOASTS_MAX);
  tell(toasts);
  setTimeout(() => dismiss(added.id), isError ? 2 * SHOWN_MS : SHOWN_MS);
}

function dismiss(id: number): void {
  toasts = toasts.filter((shown) => shown.id !== id);
  tell(toasts);
}

export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    tell = setShown;
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, isError }) => (
        <div key={id} class={`toast ${isError ? 'error' : ''}`}>
          <Icon name={isError ? 'warning' : 'check'} />
          <span>{text}</span>
        </div>
      ))}
    </div>
  );
}
