/** A bounded memory: what has not been touched for longest is forgotten first. */
export class Recent<T> {
  readonly #values = new Map<string, T>();
  readonly #limit: number;

  /** `limit`: entries that are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is remembered under a name; asking touches it. */
  get(name: string): T | undefined {
    const value = this.#values.get(name);
    if (value !== undefined) {
      // A Map keeps the order of insertion.
      this.#values.delete(name);
      this.#values.set(name, value);
    }
    return value;
  }

  /** Remembers a value under a name. */
  set(name: string, value: T): void {
    this.#values.delete(name);
    if (this.#values.size >= this.#limit) {
      const [oldest] = this.#values.keys();
      this.#values.delete(oldest ?? '');
    }
    this.#values.set(name, value);
  }
}
