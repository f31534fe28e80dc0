/** How the object that keeps alerts is called. */

/** The one object of its class. */
export const ALERTS_NAME = 'alerts';
/** Origin of its addresses; nothing but the object answers there. */
export const ALERTS_ORIGIN = 'https://qos-alerts.rill';
/** `POST`: evaluate all rules now. */
export const EVALUATE_PATH = '/evaluate';
/** `GET`: rules, alerts and what waits to be delivered. */
export const ALERTS_PATH = '/alerts';
