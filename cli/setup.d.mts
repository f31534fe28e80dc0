/** Types of `setup.mjs`, which is JavaScript since it runs on the oldest Node. */

/** The part of a lock file that names packages by their place. */
export interface LockFile {
  readonly packages?: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean; readonly link?: boolean }>
  >;
}

export declare function missingPackages(lock: LockFile, installed: LockFile): readonly string[];
export declare function stripsTypes(version: string): boolean;
export declare function findChromium(): string | undefined;
