/** How the object that knows the present is called. */

/** The one object of its class. */
export const NOW_NAME = 'now';
/** Origin of its addresses; nothing but the object answers there. */
export const NOW_ORIGIN = 'https://qos-now.rill';
/** `GET`: the present as JSON; `POST`: lines of what was heard. */
export const NOW_PATH = '/now';
/** `POST` with `stream`: that stream is being published. */
export const LIVE_PATH = '/live';
/** `GET`: the present as server-sent events. */
export const NOW_EVENTS_PATH = '/events';
