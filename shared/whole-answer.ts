/**
 * Property of an answer that has all its headers and is encoded as it goes out, so nobody on its way has to look at it
 * again: for most requests that would cost more than to be authorized. Registered by its name, since the Worker and
 * what a host puts before it may be two bundles.
 */
export const WHOLE = Symbol.for('rill.whole');
