/** Takes short lines for the person who waits. */
export type Progress = (line: string) => void;
