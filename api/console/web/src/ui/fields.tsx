/** Fields of forms over signals: what a person writes stays where the signal is. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import "./field.css";

interface InputProps {
  label: string;
  value: Signal<string>;
  type?: "text" | "password" | "number" | "search";
  required?: boolean;
  /** Least and greatest of a number. */
  min?: number;
  max?: number;
  rows?: number;
  hint?: string;
  autocomplete?: string;
  /** Of the element, for who goes to it. */
  id?: string;
}

/** What somebody types: a line, or with `rows` several. */
export function InputField(props: InputProps) {
  const { label, value, type = "text", required, min, max, rows, hint, autocomplete } = props;
  const own = useId();
  const id = props.id ?? own;
  const common = {
    id,
    value: value.value,
    required: required === true,
    onInput: (event: { currentTarget: { value: string } }) => {
      value.value = event.currentTarget.value;
    },
    ...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` }),
  };
  const bounds = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
      {rows === undefined ? (
        <input {...common} {...bounds} {...({ type } as { type: "text" })} autocomplete={autocomplete ?? "off"} />
      ) : (
        <textarea {...common} rows={rows} />
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: Signal<T>;
  /** Each with what it is called. */
  choices: readonly (readonly [T, string])[];
  required?: boolean;
}

/** One of a few. */
export function ChoiceField<T extends string>({ label, value, choices, required }: ChoiceProps<T>) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value.value}
        required={required === true}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          value.value = choices.find(([each]) => each === chosen)?.[0] ?? value.peek();
        }}
      >
        {choices.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Yes or no. */
export function TickField({ label, value }: { label: ComponentChildren; value: Signal<boolean> }) {
  return (
    <label class="inline">
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

interface TicksProps<T extends string> {
  legend: string;
  value: Signal<readonly T[]>;
  choices: readonly (readonly [T, string])[];
}

/** Any of several, kept in the order of the choices. */
export function TicksField<T extends string>({ legend, value, choices }: TicksProps<T>) {
  return (
    <fieldset class="ticks">
      <legend>{legend}</legend>
      {choices.map(([each, name]) => (
        <label key={each} class="inline">
          <input
            type="checkbox"
            checked={value.value.includes(each)}
            onChange={(event) => {
              const ticked = new Set(value.peek());
              if (event.currentTarget.checked) ticked.add(each);
              else ticked.delete(each);
              value.value = choices.map(([choice]) => choice).filter((choice) => ticked.has(choice));
            }}
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
