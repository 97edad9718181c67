export const day = 86_400;
export const hour = 3600;

/** A time that many days after the twentieth minute of a case, which looks there. */
export const atTwentyMinutes = (days: number): string => `${days * day + 20 * 60}x40`;
