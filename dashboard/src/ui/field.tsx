/** A labelled input with its hint and, where the server refused it, the server's words at the field. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { CURRENCY_SIGN } from '../format.ts';
import { Icon } from './icon.tsx';

export interface FieldShell {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem?: string | null;
  readonly whole?: boolean;
}

interface Wiring {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: 'true';
}

export function Field(props: FieldShell & { readonly children: (wiring: Wiring) => ComponentChildren }) {
  const { label, hint, problem = null, whole = false, children } = props;
  const id = useId();
  const noteId = `${id}-note`;
  const noted = hint !== undefined || problem !== null;
  const wiring: Wiring = {
    id,
    ...(noted ? { 'aria-describedby': noteId } : {}),
    ...(problem === null ? {} : { 'aria-invalid': 'true' }),
  };
  return (
    <div class={whole ? 'field whole' : 'field'}>
      <label for={id}>{label}</label>
      {children(wiring)}
      {noted && (
        <div id={noteId}>
          {problem === null ? <span class="hint">{hint}</span> : <Problem text={problem} />}
        </div>
      )}
    </div>
  );
}

export function Problem({ text }: { readonly text: string }) {
  return (
    <span class="problem">
      <Icon name="warning" />
      {text}
    </span>
  );
}

interface TextProps extends FieldShell {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly placeholder?: string;
  readonly list?: string;
  readonly autofocus?: boolean;
  readonly name?: string;
}

export function TextField({ value, onValue, placeholder, list, autofocus, name, ...shell }: TextProps) {
  return (
    <Field {...shell}>
      {(wiring) => (
        <input
          {...wiring}
          type="text"
          {...(name === undefined ? {} : { name })}
          {...(placeholder === undefined ? {} : { placeholder })}
          {...(list === undefined ? {} : { list })}
          {...(autofocus === true ? { autofocus: true } : {})}
          value={value}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function MoneyField({ value, onValue, placeholder, autofocus, name, ...shell }: TextProps) {
  return (
    <Field {...shell}>
      {(wiring) => (
        <span class="affix">
          <span aria-hidden="true">{CURRENCY_SIGN}</span>
          <input
            {...wiring}
            {...(name === undefined ? {} : { name })}
            {...(placeholder === undefined ? {} : { placeholder })}
            {...(autofocus === true ? { autofocus: true } : {})}
            inputMode="decimal"
            value={value}
            autocomplete="off"
            onInput={(event) => onValue(event.currentTarget.value)}
          />
        </span>
      )}
    </Field>
  );
}

export function SelectField<T extends string>(
  props: FieldShell & {
    readonly value: T;
    readonly options: readonly (readonly [T, string])[];
    readonly onValue: (value: T) => void;
  },
) {
  const { value, options, onValue, ...shell } = props;
  return (
    <Field {...shell}>
      {(wiring) => (
        <select
          {...wiring}
          value={value}
          onChange={(event) => {
            const chosen = options[event.currentTarget.selectedIndex];
            if (chosen !== undefined) onValue(chosen[0]);
          }}
        >
          {options.map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
