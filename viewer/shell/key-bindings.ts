/** A key press, as events of browsers have it. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Steps of a binding such as `g s`, `?` or `Control+k`, as names of `key`. */
export type Binding = string;

/** A sequence is forgotten after this time. */
const SEQUENCE_MS = 1_500;

function nameOf({ key, ctrlKey, metaKey, altKey }: KeyPress): string {
  return ctrlKey || metaKey ? `Control+${key.toLowerCase()}` : altKey ? `Alt+${key}` : key;
}

/** Finds the binding that presses complete: single keys, and sequences of two, such as `g s`. */
export class KeySequence {
  #first = '';
  #at = 0;

  /** Returns the completed binding; null without one. `now` in ms. `singleKeys`: whether keys without Control are bindings. */
  press(press: KeyPress, bindings: readonly Binding[], now: number, singleKeys: boolean): Binding | null {
    const name = nameOf(press);
    const isSingle = !name.startsWith('Control+');
    // Escape and Enter act on what has the focus; they are no characters.
    if (isSingle && !singleKeys && name.length === 1) {
      this.#first = '';
      return null;
    }
    const sequence = this.#first !== '' && now - this.#at <= SEQUENCE_MS ? `${this.#first} ${name}` : name;
    this.#first = '';
    if (bindings.includes(sequence)) return sequence;
    if (bindings.some((binding) => binding.startsWith(`${name} `))) {
      this.#first = name;
      this.#at = now;
      return null;
    }
    return bindings.includes(name) ? name : null;
  }
}
