/** Why there is no answer, in words for people. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  /** `away`: nothing answers at all; `behind`: the front answers, what is behind it does not; `refused`: it says no. */
  readonly kind: 'away' | 'behind' | 'refused';

  constructor(kind: Trouble['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** JSON from the front of the page, in the form that the server behind it documents. */
export async function askJson<Answer>(path: string, who: string, signal?: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, { ...(signal ? { signal } : {}), cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted === true && signal.reason !== 'slow') throw error;
    throw new Trouble('away', 'the monitoring host does not answer');
  }
  if ([502, 503, 504].includes(response.status)) {
    throw new Trouble('behind', `${who} does not answer on the monitoring host`);
  }
  if (response.ok) return await response.json();
  const answer: { readonly error?: string } = await response.json().catch(() => ({}));
  throw new Trouble('refused', `${who} says: ${answer.error ?? `status ${response.status}`}`);
}
