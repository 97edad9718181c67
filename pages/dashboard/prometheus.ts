import { askJson } from '../frame/ask.ts';
import type { Alert, Labels, Series, Span } from './answers.ts';

interface Answer<Data> {
  readonly data: Data;
}

const base = 'prometheus/api/v1';

async function ask<Data>(path: string, signal: AbortSignal): Promise<Data> {
  const answer = await askJson<Answer<Data>>(`${base}/${path}`, 'Prometheus', signal);
  return answer.data;
}

interface Vector {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}

/** The one value of an expression, or none. */
export async function askNow(expr: string, signal: AbortSignal): Promise<number | undefined> {
  const query = new URLSearchParams({ query: expr });
  const { result } = await ask<Vector>(`query?${query.toString()}`, signal);
  const value = Number(result[0]?.value[1]);
  return Number.isFinite(value) ? value : undefined;
}

export async function askSpan(expr: string, span: Span, signal: AbortSignal): Promise<readonly Series[]> {
  const query = new URLSearchParams({
    query: expr.replaceAll('$window', `${span.window}s`),
    start: String(span.from),
    end: String(span.to),
    step: String(span.step),
  });
  const { result } = await ask<{ readonly result: readonly Series[] }>(
    `query_range?${query.toString()}`,
    signal,
  );
  return result;
}

export async function askAlerts(signal: AbortSignal): Promise<readonly Alert[]> {
  const { alerts } = await ask<{ readonly alerts: readonly Alert[] }>('alerts', signal);
  return alerts;
}

/** The alerts that nobody is told of: they follow from another one, or somebody has silenced them. */
export async function askSuppressed(signal: AbortSignal): Promise<readonly Labels[]> {
  const path = 'alertmanager/api/v2/alerts?active=false&silenced=true&inhibited=true';
  const found = await askJson<readonly { readonly labels: Labels }[]>(path, 'Alertmanager', signal);
  return found.map(({ labels }) => labels);
}
