/** Rows on their way to the analytics engine, where something is wrong with it. */

import { askWriterStatus } from './ask.ts';
import { find } from './element.ts';
import { count } from './format.ts';

/** Asks how many rows wait and were dropped, and says so where the engine does not take them or some are lost. */
export async function showEngineState(): Promise<void> {
  const { buffered, dropped, trouble } = await askWriterStatus();
  const texts = [
    ...(trouble === null ? [] : [`The analytics engine takes no rows: ${count(buffered)} wait.`]),
    ...(dropped === 0 ? [] : [`${count(dropped)} rows have been dropped: the figures below lack them.`]),
  ];
  find('engine', HTMLElement).textContent = texts.join(' ');
}
