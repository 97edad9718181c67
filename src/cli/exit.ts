/** Exit statuses, the same for every command. */
export const exitStatus = {
  ok: 0,
  failed: 1,
  /** `plan` found changes. */
  changes: 2,
  /** A host could not be reached, and nothing else failed. */
  unreachable: 3,
  /** A usage or configuration error, before any host was touched. */
  configuration: 4,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
