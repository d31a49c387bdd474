import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';

interface FieldProps {
  readonly label: string;
  /** Fault of the value, such as that of an error answer. */
  readonly fault?: string | undefined;
  readonly hint?: string;
}

/** Label, hint and fault of a control, which gets their ids. */
function Framed(
  props: FieldProps & {
    readonly children: (ids: { readonly id: string; readonly describedBy: string | undefined }) => ComponentChildren;
  },
): JSX.Element {
  const id = useId();
  const { label, hint, fault } = props;
  const note = fault ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {props.children({ id, describedBy: note === undefined ? undefined : `${id}-note` })}
      {note === undefined ? null : (
        <p id={`${id}-note`} class={fault === undefined ? 'hint' : 'fault'}>
          {note}
        </p>
      )}
    </div>
  );
}

/** Types of fields, as attributes: the types of elements differ by them. */
const TYPES = {
  text: { type: 'text' },
  search: { type: 'search' },
  password: { type: 'password' },
  number: { type: 'number' },
  date: { type: 'date' },
  'datetime-local': { type: 'datetime-local' },
} as const;

interface InputProps {
  readonly type?: keyof typeof TYPES;
  readonly autocomplete?: 'off' | 'username' | 'current-password' | 'new-password' | 'one-time-code';
  readonly inputMode?: 'text' | 'numeric';
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
}

/** A field of one line. */
export function Field(
  props: FieldProps &
    InputProps & {
      readonly value: string;
      readonly onValue: (value: string) => void;
      readonly onEnter?: () => void;
    },
): JSX.Element {
  const { label, fault, hint, value, onValue, onEnter, type = 'text', ...rest } = props;
  return (
    <Framed label={label} fault={fault} {...(hint === undefined ? {} : { hint })}>
      {({ id, describedBy }) => (
        <input
          {...rest}
          {...TYPES[type]}
          id={id}
          value={value}
          aria-invalid={fault !== undefined}
          aria-describedby={describedBy}
          onInput={(event) => onValue(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onEnter?.();
          }}
        />
      )}
    </Framed>
  );
}

/** Longest pause within a word. */
const TYPING_MS = 250;

/** A field that narrows a list: it takes effect after a pause, and with Enter. An empty value is undefined, as in addresses. */
export function FilterField(
  props: FieldProps & {
    readonly value: string | undefined;
    readonly maxLength?: number;
    readonly onValue: (value: string | undefined) => void;
  },
): JSX.Element {
  const { value = '', onValue, ...rest } = props;
  const [typed, setTyped] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const apply = useRef(onValue);
  apply.current = onValue;
  // Another value of the address, such as of a button that clears the filters. Before the next key, which it would remove.
  useLayoutEffect(() => setTyped(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = (text: string): void => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply.current(text || undefined), TYPING_MS);
  };
  const onEnter = (): void => {
    clearTimeout(timer.current);
    apply.current(typed || undefined);
  };
  return <Field {...rest} type="search" value={typed} onValue={onInput} onEnter={onEnter} />;
}

/** A field of several lines. */
export function TextArea(
  props: FieldProps &
    Pick<InputProps, 'required' | 'maxLength'> & {
      readonly value: string;
      readonly rows?: number;
      readonly onValue: (value: string) => void;
    },
): JSX.Element {
  const { label, fault, hint, value, rows = 4, onValue, ...rest } = props;
  return (
    <Framed label={label} fault={fault} {...(hint === undefined ? {} : { hint })}>
      {({ id, describedBy }) => (
        <textarea
          {...rest}
          id={id}
          rows={rows}
          value={value}
          aria-invalid={fault !== undefined}
          aria-describedby={describedBy}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Framed>
  );
}

interface Option<Value extends string> {
  readonly value: Value;
  readonly text: string;
}

/** A choice of one of the options. */
export function Choice<const Value extends string>(
  props: FieldProps & {
    readonly value: Value;
    readonly options: readonly Option<Value>[];
    readonly onValue: (value: Value) => void;
  },
): JSX.Element {
  const { label, fault, hint, value, options, onValue } = props;
  return (
    <Framed label={label} fault={fault} {...(hint === undefined ? {} : { hint })}>
      {({ id, describedBy }) => (
        <select
          id={id}
          value={value}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) => {
            const chosen = options.find((option) => option.value === currentTarget.value);
            if (chosen !== undefined) onValue(chosen.value);
          }}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Framed>
  );
}

/** A choice that may be left open; undefined is "any", which `any` names. */
export function Select<const Value extends string>(
  props: FieldProps & {
    readonly value: Value | undefined;
    readonly options: readonly Option<Value>[];
    readonly onValue: (value: Value | undefined) => void;
    readonly any?: string;
  },
): JSX.Element {
  const { value, options, onValue, any, ...rest } = props;
  const t = inLanguage(common);
  return (
    <Choice<Value | ''>
      {...rest}
      value={value ?? ''}
      options={[{ value: '', text: any ?? t.any }, ...options]}
      onValue={(chosen) => onValue(chosen === '' ? undefined : chosen)}
    />
  );
}

/** A box to tick. */
export function Checkbox(props: {
  readonly label: string;
  readonly checked: boolean;
  readonly onValue: (checked: boolean) => void;
}): JSX.Element {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onValue(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
    </div>
  );
}
