/** EXT-X-SERVER-CONTROL, rfc8216bis §4.4.3.8: which delivery directives the server understands. */

import {
  flag,
  parseAttributeList,
  renderAttributeList,
  takeDecimal,
  takeFlag,
  unquoted,
} from '../attribute-list.ts';
import { renderDecimal } from '../syntax.ts';

/** EXT-X-SERVER-CONTROL; all quantities in seconds. */
export interface ServerControlTag {
  readonly kind: 'server-control';
  readonly canBlockReload: boolean;
  readonly canSkipUntil: number | undefined;
  readonly canSkipDateranges: boolean;
  readonly holdBack: number | undefined;
  readonly partHoldBack: number | undefined;
}

/** Renders EXT-X-SERVER-CONTROL. */
export function renderServerControl(tag: ServerControlTag): string {
  const list = renderAttributeList([
    ['CAN-BLOCK-RELOAD', flag(tag.canBlockReload)],
    ['CAN-SKIP-UNTIL', decimal(tag.canSkipUntil)],
    ['CAN-SKIP-DATERANGES', flag(tag.canSkipDateranges)],
    ['HOLD-BACK', decimal(tag.holdBack)],
    ['PART-HOLD-BACK', decimal(tag.partHoldBack)],
  ]);
  return `#EXT-X-SERVER-CONTROL:${list === '' ? 'CAN-BLOCK-RELOAD=NO' : list}`;
}

/** Reads the text after `#EXT-X-SERVER-CONTROL:`. */
export function parseServerControl(text: string): ServerControlTag {
  const attributes = parseAttributeList(text);
  return {
    kind: 'server-control',
    canBlockReload: takeFlag(attributes, 'CAN-BLOCK-RELOAD'),
    canSkipUntil: takeDecimal(attributes, 'CAN-SKIP-UNTIL'),
    canSkipDateranges: takeFlag(attributes, 'CAN-SKIP-DATERANGES'),
    holdBack: takeDecimal(attributes, 'HOLD-BACK'),
    partHoldBack: takeDecimal(attributes, 'PART-HOLD-BACK'),
  };
}

function decimal(value: number | undefined): ReturnType<typeof unquoted> | undefined {
  return value === undefined ? undefined : unquoted(renderDecimal(value));
}
