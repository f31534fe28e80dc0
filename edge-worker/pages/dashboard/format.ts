/** Figures in words: what was not measured is a dash. */

/** A figure's text. */
export type Format = (value: number) => string;

const MEGA = 1_000_000;

/** What stands for a figure that was not measured. */
export const NOTHING = '–';

/** 0.0123 as `1.23 %`. */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio !== 0 && ratio < 0.1 ? 2 : 1)} %`;
}

/** Milliseconds below a second, else seconds. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) {
    return `${Math.round(milliseconds)} ms`;
  }
  const seconds = milliseconds / 1000;
  if (seconds < 120) {
    return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 120
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Bits per second as Mb/s. */
export function bitrate(bits: number): string {
  return `${(bits / MEGA).toFixed(2)} Mb/s`;
}

/** A count, or a mean of counts with one digit. */
export function count(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1);
}

/** Hours watched. */
export function hours(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} h`;
}

/** The time of day of Unix seconds, with seconds. */
export function clock(unix: number): string {
  return new Date(unix * 1000).toLocaleTimeString([], { hour12: false });
}

/** A figure, or a dash for none. */
export function orNothing(value: number | null | undefined, format: Format): string {
  return value === null || value === undefined || Number.isNaN(value) ? NOTHING : format(value);
}
