/** What stands in the place of content that is not there: nothing yet, still loading, could not be loaded. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, messageOf } from '../api/client.ts';
import { Icon } from './icon.tsx';

export function ErrorNotice({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const ended = error instanceof ApiError && error.status === 401;
  return (
    <div class="banner error" role="alert">
      <Icon name="warning" />
      <strong>{ended ? 'Your session has ended' : 'This could not be loaded'}</strong>
      <span>{ended ? 'Log in to go on.' : messageOf(error)}</span>
      {ended ? (
        <a class="button slim" href="/login">
          Log in
        </a>
      ) : (
        again !== undefined && (
          <button type="button" class="button slim" onClick={again}>
            Try again
          </button>
        )
      )}
    </div>
  );
}

export function Skeleton({ rows }: { readonly rows: number }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} class="skeleton" />
      ))}
    </div>
  );
}

/** A command to copy. */
export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div class="curl">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long command scrolls, and must by keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="button slim" onClick={copy}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}

export function Panel(props: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-label={props.title}>
      <div class="panel-head">
        <h2>{props.title}</h2>
        {props.aside}
      </div>
      <div class="panel-body">{props.children}</div>
    </section>
  );
}

/** A table that may be wider than its place: it scrolls, also by keyboard. */
export function WideTable(props: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll-x" aria-label={props.label} tabIndex={0}>
      <table class="plain">{props.children}</table>
    </section>
  );
}
