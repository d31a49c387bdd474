import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
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
  props: FieldProps & InputProps & { readonly value: string; readonly onValue: (value: string) => void },
): JSX.Element {
  const { label, fault, hint, value, onValue, type = 'text', ...rest } = props;
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
        />
      )}
    </Framed>
  );
}

/** A field of several lines. */
export function TextArea(
  props: FieldProps & { readonly value: string; readonly rows?: number; readonly onValue: (value: string) => void },
): JSX.Element {
  const { label, fault, hint, value, rows = 4, onValue } = props;
  return (
    <Framed label={label} fault={fault} {...(hint === undefined ? {} : { hint })}>
      {({ id, describedBy }) => (
        <textarea
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

/** A choice; undefined is "any", which `any` names. */
export function Select<const Value extends string>(
  props: FieldProps & {
    readonly value: Value | undefined;
    readonly options: readonly { readonly value: Value; readonly text: string }[];
    readonly onValue: (value: Value | undefined) => void;
    readonly any?: string;
  },
): JSX.Element {
  const { label, fault, hint, value, options, onValue } = props;
  const t = inLanguage(common);
  return (
    <Framed label={label} fault={fault} {...(hint === undefined ? {} : { hint })}>
      {({ id, describedBy }) => (
        <select
          id={id}
          value={value ?? ''}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) =>
            onValue(options.find((option) => option.value === currentTarget.value)?.value)
          }
        >
          <option value="">{props.any ?? t.any}</option>
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
