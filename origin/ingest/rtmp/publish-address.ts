/** Reads which stream an encoder wants to publish and with which key. */

/** The one application that is served. */
export const APPLICATION = 'live';

/** Where the parts of a publish URL may travel: connect's `app` and `tcUrl`, and publish's stream name. */
export interface PublishAddressParts {
  readonly app: string;
  readonly tcUrl: string;
  readonly publishName: string;
}

/** A stream's name, key and role as the encoder gave them, where it did. */
export interface PublishAddress {
  readonly stream: string;
  readonly key: string | undefined;
  readonly role: string | undefined;
}

/**
 * Reads `{stream}?key={key}&role={role}`; the query may also be on `app` or `tcUrl`, the nearest to the name wins.
 */
export function readPublishAddress(parts: PublishAddressParts): PublishAddress {
  const { publishName, app, tcUrl } = parts;
  const nearest = (field: string): string | undefined =>
    readField(publishName, field) ?? readField(app, field) ?? readField(tcUrl, field);
  return { stream: beforeQuery(publishName), key: nearest('key'), role: nearest('role') };
}

/** Tells whether connect's `app` names the application, with or without a query or slashes around it. */
export function isApplication(app: string): boolean {
  return beforeQuery(app).replace(/^\/|\/$/g, '') === APPLICATION;
}

function beforeQuery(text: string): string {
  const at = text.indexOf('?');
  return at === -1 ? text : text.slice(0, at);
}

/** Only percent escapes are undone: a plus sign is a plus sign. */
function readField(text: string, name: string): string | undefined {
  const at = text.indexOf('?');
  if (at === -1) {
    return undefined;
  }
  const field = text
    .slice(at + 1)
    .split('&')
    .find((part) => part.startsWith(`${name}=`));
  const value = field?.slice(name.length + 1);
  return value === undefined || value === '' ? undefined : percentDecode(value);
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
