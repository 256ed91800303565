import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface NumberProps {
  label: string;
  unit?: string;
  value: number | null;
  /** What stands for nothing said. */
  usual?: string;
  min?: number;
  max?: number;
  step?: number | "any";
  set: (value: number | null) => void;
}

/** A figure with its unit; empty is null. */
export function NumberField({ label, unit, value, usual, min, max, step = "any", set }: NumberProps) {
  return (
    <label class="figure">
      <span>
        {label}
        {unit !== undefined && <small> {unit}</small>}
      </span>
      <input
        type="number"
        value={value ?? ""}
        placeholder={usual}
        min={min}
        max={max}
        step={step}
        onInput={(event) => {
          const read = event.currentTarget.valueAsNumber;
          if (!(Number.isNaN(read) && event.currentTarget.validity.badInput)) set(Number.isNaN(read) ? null : read);
        }}
      />
    </label>
  );
}

interface TextProps {
  label: string;
  value: string;
  placeholder?: string;
  set: (value: string) => void;
}

/** A line of text. */
export function TextField({ label, value, placeholder, set }: TextProps) {
  return (
    <label class="text">
      {label}
      <input value={value} placeholder={placeholder} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  set: (value: T) => void;
}

/** One of a few. */
export function SelectField<T extends string>({ label, value, choices, set }: SelectProps<T>) {
  return (
    <label class="choice">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = choices.find(([each]) => each === event.currentTarget.value);
          if (chosen !== undefined) set(chosen[0]);
        }}
      >
        {choices.map(([each, word]) => (
          <option key={each} value={each}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A part of the form, with what is wrong in it below its heading. */
export function Part({ title, faults, children }: { title: string; faults: string[]; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class={faults.length > 0 ? "part faulty" : "part"} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div class="faults" role="status">
        {faults.map((fault) => (
          <p key={fault} class="fault">
            {fault}
          </p>
        ))}
      </div>
      {children}
    </section>
  );
}
