/** Alerts that are on, above everything else. */

import { askAlerts, type Alert } from './ask.ts';
import { find } from './element.ts';
import { clock, count } from './format.ts';
import { fillTable } from './table.ts';

/** A ratio shows more digits than a count. */
const SMALL = 1;

/** Asks for the alerts and shows them; nothing where there are none. */
export async function showAlerts(): Promise<void> {
  const { trouble, alerts } = await askAlerts();
  find('alerts-trouble', HTMLElement).textContent = trouble ?? '';
  find('alerts', HTMLElement).hidden = alerts.length === 0 && trouble === null;
  fillTable<Alert>(
    find('alerts-table', HTMLTableElement),
    [
      { title: 'Rule', isText: true, cell: (one) => one.rule },
      {
        title: 'Where',
        isText: true,
        cell: (one) => one.series.map((name) => name || 'unknown').join(', ') || 'everywhere',
      },
      { title: 'State', isText: true, cell: (one) => one.kind, isBad: (one) => one.kind === 'firing' },
      {
        title: 'Value',
        cell: (one) => (Math.abs(one.value) < SMALL ? one.value.toFixed(3) : count(one.value)),
      },
      { title: 'Since', cell: (one) => clock(one.since) },
    ],
    { rows: alerts, none: 'No alert is on.' },
  );
}
