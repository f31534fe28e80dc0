/** An engine did not do what it was asked. */
export class EngineError extends Error {
  readonly code = 'RILL_QOS_ENGINE';
  /** `refused`: it will refuse the same again; `failed` and `unreachable`: it may not. */
  readonly kind: 'refused' | 'failed' | 'unreachable';

  constructor(kind: EngineError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }
}
